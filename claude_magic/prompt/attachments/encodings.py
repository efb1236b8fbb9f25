"""Decodes text: as UTF-8 or UTF-16 where the bytes show it, else in the most likely legacy encoding.

A small table has few words beyond ASCII, too few for `charset-normalizer`, which reads `Größe;Preis €` of Windows as
Icelandic of a Mac. So the encodings common in files are compared by the frequency of the characters they produce; where
none fits well, `charset-normalizer` tries all others.
"""

from __future__ import annotations

import codecs
import contextlib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial

_MARKS = {  # the longer ones first: one begins with another
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WESTERN = "éäüöèàßáíñçóêøåúæâîôûëïã’ÉÄÖÜ€°–õìòùœÅØÀÇÑÁÓÚÆŒÈÍÊ£§«»—‘“”„…•·¿¡ªº©®™±²³µ×½¼¾\xa0"
_CENTRAL = "áíéěščřžýůúňťďóąęłżśćńźőűăâîţşôäöüßľÁÉŠČŘŽÚÍĽŁŻŚĆŹŐŰđĐ€§°„“”–…’\xa0"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ«»—–№„“…\xa0"
_GREEK = "αιοετσνηυρκπμλςόάίέγθδύχήφβώξζψϊϋ«»–…\xa0"
_TURKISH = "ıişüğçöİŞÇÜÖĞâîû€–‘’“”…\xa0"
_HEBREW = "יוהלאתמרבשנכדעקפחטצגסזןםךףץ–״׳\xa0"
_ARABIC = "اليمونترةبعدسفهكقحجشصطأخذزضغثىءئإؤظآپچگ،؛؟\xa0"
_THAI = "านรกอเงมยลวดท่สตะปบคหแจพชขใไโผซถณธศษฟญฐำิีึืุูั็้์ๆฯ"
_CHINESE = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出会也时要就可以下年生对后能得产里部方日本分用行家"
    "名数量价格品城市姓龄单位销售额期金万元收入电商公司总计编号类型性别男女北京海广州张王李刘陈苹果好世界试"
)
_TRADITIONAL = (
    "的一是不了在人有我他這中大來上國個到說們為子和你地出會也時要就可以下年生對後能得產裡部方日本分用行家"
    "名數量價格品城市姓齡單位銷售額期金萬元收入電商公司總計編號類型性別男女北京海臺灣張王李劉陳蘋果好世界試"
)
_JAPANESE = (
    "のいるはをたがでてとしにれさなっンスーりもこらトクアルイリんラかまドあジシフレプきロテメバマタサせけコ"
    "日一国人年大本中長出時行見月後前生間上東京今金入学高円名齢商品価格数量売付県市区会社計番号合住所電話氏男女田山"
)
_KOREAN = (
    "이다는의에가고을하지로도한서은리사기아대자나시인어를해스정과보라수일그부전장원조제들있게만으주구상동성"
    "름품매출명김박최년월국요안세니여신소유무연경공용금분비호민우오미선모화처관계내실개생"
)
_KANJI = 2965
_COMMON = {  # by encoding: its characters, the most frequent first, and its prior probability (not normalized)
    "cp1252": (_WESTERN, 1.0),
    "mac_roman": (_WESTERN, 0.2),
    "cp850": (_WESTERN, 0.05),
    "cp1250": (_CENTRAL, 0.2),
    "cp1254": (_TURKISH, 0.1),
    "cp1251": (_CYRILLIC, 0.5),
    "koi8_r": (_CYRILLIC, 0.1),
    "cp866": (_CYRILLIC, 0.05),
    "cp1253": (_GREEK, 0.1),
    "cp1255": (_HEBREW, 0.02),
    "cp1256": (_ARABIC, 0.05),
    "cp874": (_THAI, 0.05),
    "cp932": (_JAPANESE, 0.5),
    "euc_jp": (_JAPANESE, 0.1),
    "gb18030": (_CHINESE, 0.5),
    "big5": (_TRADITIONAL, 0.2),
    "cp949": (_KOREAN, 0.2),
}
_LATIN = {"cp1252", "mac_roman", "cp850", "cp1250", "cp1254"}
_LEVELS = {  # where the common characters are contiguous: charset, first and last lead byte, and their number
    "cp932": ("euc_jp", 0xB0, 0xCF, _KANJI),
    "euc_jp": ("euc_jp", 0xB0, 0xCF, _KANJI),
    "gb18030": ("gb2312", 0xB0, 0xD7, 3755),
    "big5": ("big5", 0xA4, 0xC6, 5401),
    "cp949": ("euc_kr", 0xB0, 0xC8, 2350),
}
_NAMES = {"cp932": "Shift-JIS (cp932)", "gb18030": "GB18030", "koi8_r": "KOI8-R"}
_NAMES |= {"mac_roman": "Mac Roman", "cp1252": "Windows-1252 (cp1252)"}
_NAMES |= {"cp949": "EUC-KR (cp949)", "euc_jp": "EUC-JP", "big5": "Big5"}
_DECLARED = re.compile(rb"(?:charset|coding)\s*[=:]\s*[\"']?([A-Za-z0-9._-]{3,20})")  # of XML, HTML, Python
_UNLIKELY = ["utf_16", "utf_32", "utf_7", "cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"]
_SAMPLE = 60_000  # bytes that are compared
_POOR = math.log(1 / 400)  # a character's average chance for a byte, below which none of these encodings fits
_RARE = 0.02


def decode(data: bytes) -> tuple[str, str]:
    """The text of `data`, and a note on the encoding that was assumed; `""` if the bytes show it.

    Raises:
        ValueError: It is not text; the message says why.
    """
    if mark := next((mark for mark in _MARKS if data.startswith(mark)), None):
        return _strict(data, _MARKS[mark]), ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        why = f"byte {error.start:,} is not UTF-8"
    else:
        if "\0" not in text:
            return text, ""
        why = f"there is a NUL at character {text.index(chr(0)):,}"
        if data.count(0) * 4 < len(data):  # in UTF-16 that is UTF-8 too, every second byte is one
            raise ValueError(why)
    if b"\0" in data:
        return _utf_16(data, why)
    return _nearly_utf_8(data) or _legacy(data, why)


def _strict(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not {error.encoding.upper()}") from None
    if "\0" in text:
        raise ValueError(f"there is a NUL at character {text.index(chr(0)):,}")
    return text


def _utf_16(data: bytes, why: str) -> tuple[str, str]:
    """Decodes UTF-16 without a byte order mark, which has NULs in every second place where it holds ASCII."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(why) from None
    if min(even, odd) * 20 > max(even, odd) or not _is_readable(text):
        raise ValueError(why)
    return text, f"not UTF-8; assumed to be {encoding.upper()}"


def _nearly_utf_8(data: bytes) -> tuple[str, str] | None:
    """Decodes UTF-8 with a few invalid bytes, such as a last character cut off; `None` if it is not UTF-8."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    whole = sum(sign > "\x7f" for sign in text) - broken
    is_cut = broken == 1 and text.endswith("\N{REPLACEMENT CHARACTER}")
    if whole < 3 or (broken * 4 > whole and not is_cut) or not _is_readable(text):
        return None
    return text, f"read as UTF-8; {broken:,} broken byte{'s' * (broken != 1)} shown as \N{REPLACEMENT CHARACTER}"


def _legacy(data: bytes, why: str) -> tuple[str, str]:
    if declared := _declared_encoding(data):
        return declared
    weights = {encoding: _weight(data[:_SAMPLE], encoding) for encoding in _COMMON}
    ranks = {encoding: weight + math.log(_COMMON[encoding][1]) for encoding, weight in weights.items()}
    for encoding in sorted(ranks, key=lambda name: ranks[name], reverse=True):
        high = sum(byte > 0x7F for byte in data[:_SAMPLE])
        if weights[encoding] < _POOR * high:
            break
        with contextlib.suppress(UnicodeDecodeError):
            if _is_readable(text := data.decode(encoding)):
                return text, f"not UTF-8; assumed to be {_NAMES.get(encoding, encoding)}"
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_exclusion=_UNLIKELY).best()
    if best is None or not _is_readable(str(best)):
        raise ValueError(why)
    return str(best), f"not UTF-8; assumed to be {best.encoding}"


def _declared_encoding(data: bytes) -> tuple[str, str] | None:
    """Decodes as an XML or HTML head, or a comment of Python, declares; `None` if nothing is declared."""
    for match in _DECLARED.finditer(data[:1_000]):
        name = match[1].decode("ascii")
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            known = codecs.lookup(name).name
            text = data.decode({"iso8859-1": "cp1252"}.get(known, known))  # as browsers do
            if isinstance(text, str) and known != "utf-8" and _is_readable(text):
                return text, f"not UTF-8; read as {name}, as it says itself"
    return None


def _is_readable(text: str) -> bool:
    """Whether at most one in 200 characters of `text` is a control or unassigned character."""
    sample = text[:100_000]
    odd = sum(unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs") and sign not in "\t\n\r\f\x1b" for sign in sample)
    return odd * 200 <= len(sample)


def _weight(sample: bytes, encoding: str) -> float:
    """The log likelihood of `sample` in `encoding`, from its characters beyond ASCII."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return -math.inf
    places = [place for place, sign in enumerate(text) if sign > "\x7f"]
    if not places:
        return -math.inf
    chance = _chances(encoding)
    return sum(math.log(chance(text[place], text[place - 1 : place], text[place + 1 : place + 2])) for place in places)


def _chances(encoding: str) -> Callable[[str, str, str], float]:
    """The probability of a character between two others, as a function, for an encoding."""
    common = _COMMON[encoding][0]
    total = sum(1 / (rank + 12) for rank in range(len(common)))
    chances = {sign: 1 / (rank + 12) / total for rank, sign in enumerate(common)}
    if encoding not in _LEVELS:
        return partial(_chance_of_letter, chances=chances, latin=encoding in _LATIN)
    charset, first, last, size = _LEVELS[encoding]
    in_level = partial(_is_in_level, charset=charset, first=first, last=last)
    return partial(_chance_of_ideograph, chances=chances, in_level=in_level, size=size)


def _chance_of_letter(sign: str, before: str, after: str, *, chances: Mapping[str, float], latin: bool) -> float:
    chance = (1 - _RARE) * (chances.get(sign) or chances.get(sign.lower(), 0)) or _RARE / 200
    neighbours = [near for near in (before, after) if near.isalpha()]
    if not sign.isalpha():
        within = len(neighbours) == 2 and sign != "’"
        return chance * (0.02 if within else 1) * (0.3 if before > "\x7f" or after > "\x7f" else 1)
    if sign.isupper():
        chance *= 0.01 if before.islower() else 0.3 if not before.isupper() else 1
    if not neighbours:
        chance *= 0.1
    return chance * float((0.2 if latin else 0.01) ** sum(near.isascii() != latin for near in neighbours))


def _chance_of_ideograph(
    sign: str, before: str, _: str, *, chances: Mapping[str, float], in_level: Callable[[str], bool], size: int
) -> float:
    if before.isascii() and before.isalpha():
        return 1e-5
    if "\uff61" <= sign <= "\uff9f":
        return 0.03 / 63
    if "\u3041" <= sign <= "\u30ff" and size == _KANJI:
        return 0.4 / 170 + 0.3 * chances.get(sign, 0)
    if not sign.isalpha():
        return 0.05 / 100 if unicodedata.category(sign)[0] in "PSN" else 1e-8
    return 0.5 * chances.get(sign, 0) + (0.4 / size if in_level(sign) else 1e-6)


def _is_in_level(sign: str, *, charset: str, first: int, last: int) -> bool:
    """Whether a character is among the common ones, which are contiguous in `charset`."""
    try:
        return first <= sign.encode(charset)[0] <= last
    except UnicodeEncodeError:
        return False
