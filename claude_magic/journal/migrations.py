"""The journal's tables, as a list of migrations; existing ones never change, new ones are added at its end.

`pragma user_version` is the number of migrations that a file has had.
"""

from __future__ import annotations

import sqlite3

from ..errors import SettingsError

MIGRATIONS = (
    """
    create table exchange (
        id integer primary key autoincrement,
        began text not null,
        ended text,
        notebook text not null default '',
        cell text not null default '',
        place text not null default '',
        session text not null,
        conversation text not null default '',
        provider text not null default '',
        method text not null,
        url text not null,
        request_headers text not null,
        request text not null,
        identity text not null,
        model text not null,
        prompt text not null,
        status integer,
        response_headers text,
        request_id text,
        message text,
        reply text,
        stop_reason text,
        input_tokens integer,
        cache_write_tokens integer,
        cache_read_tokens integer,
        output_tokens integer,
        usd real,
        reserved_usd real,
        seconds real,
        first_token_seconds real,
        retries integer,
        model_note text not null default '',
        error_type text,
        error text,
        error_body text
    );
    create index exchange_began on exchange (began);
    create index exchange_identity on exchange (identity);
    create index exchange_session on exchange (session);
    create index exchange_cell on exchange (cell);
    create index exchange_unended on exchange (id) where ended is null;
    create table arrival (
        id integer primary key,
        exchange_id integer not null references exchange (id) on delete cascade,
        seconds real not null,
        events text not null
    );
    create index arrival_exchange on arrival (exchange_id);
    """,
    """
    create virtual table words using fts5 (
        prompt, reply, content = 'exchange', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
    );
    insert into words (rowid, prompt, reply) select id, prompt, reply from exchange where ended is not null;
    create trigger words_at_the_end after update of ended on exchange
    when old.ended is null and new.ended is not null begin
        insert into words (rowid, prompt, reply) values (new.id, new.prompt, new.reply);
    end;
    create trigger words_of_deleted after delete on exchange
    when old.ended is not null begin
        insert into words (words, rowid, prompt, reply) values ('delete', old.id, old.prompt, old.reply);
    end;
    """,
    """
    create table attachment (
        digest text primary key,
        media_type text not null,
        data blob not null
    );
    create table exchange_attachment (
        exchange_id integer not null references exchange (id) on delete cascade,
        digest text not null references attachment (digest),
        primary key (exchange_id, digest)
    );
    create index exchange_attachment_digest on exchange_attachment (digest);
    """,
    """
    alter table exchange add column answer text;
    """,
    """
    create table batch (
        id integer primary key autoincrement,
        began text not null,
        session text not null,
        notebook text not null default '',
        cell text not null default '',
        provider text not null default '',
        endpoint text not null,
        state text not null,
        batch_id text,
        requests integer not null default 0,
        bytes integer not null default 0,
        reserved_usd real not null default 0,
        created text not null default '',
        expires text not null default '',
        excluded text not null default ''
    );
    create index batch_batch_id on batch (batch_id);
    create table batch_request (
        id integer primary key autoincrement,
        batch integer not null references batch (id) on delete cascade,
        row integer not null,
        custom_id text not null,
        identity text not null,
        request text,
        state text not null default 'waiting',
        error text,
        exchange_id integer references exchange (id) on delete cascade
    );
    create unique index batch_request_custom_id on batch_request (batch, custom_id);
    create index batch_request_identity on batch_request (identity);
    create index batch_request_exchange on batch_request (exchange_id);
    """,
    """
    create table upload (
        id integer primary key,
        digest text not null,
        endpoint text not null,
        account text not null default '',
        file_id text not null,
        filename text not null,
        media_type text not null,
        uploaded text not null,
        expires text not null default '',
        exchange_id integer references exchange (id) on delete cascade
    );
    create index upload_digest on upload (digest);
    create index upload_exchange on upload (exchange_id);
    """,
    """
    create table pending_turn (
        exchange_id integer primary key references exchange (id) on delete cascade,
        cell text not null default '',
        state text not null
    );
    """,
    """
    alter table exchange add column hosting text;
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Applies the missing migrations to a file, in one transaction; several kernels may do so at the same time.

    Raises:
        SettingsError: A later version has written the file; it is not changed.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("begin immediate")
    try:
        refuse_newer(connection)
        for number in range(_version(connection), len(MIGRATIONS)):
            for statement in split_statements(MIGRATIONS[number]):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number + 1}")
        connection.execute("commit")
    except BaseException:
        connection.rollback()
        raise


def refuse_newer(connection: sqlite3.Connection) -> None:
    """Checks that this version knows the tables of the file.

    Raises:
        SettingsError: A later version has written the file.
    """
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise SettingsError(
            f"the journal was written by a newer claude-magic: its tables have version {version}, this release knows "
            f"{len(MIGRATIONS)}. Install the newer release, or set Claude.journal to another path."
        )


def split_statements(script: str) -> list[str]:
    """The statements of a script, to run them one by one: `executescript` would first commit the transaction."""
    statements, statement = [], ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            statements.append(statement.strip())
            statement = ""
    return statements


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])
