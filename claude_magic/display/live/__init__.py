"""The live display: a reply in a notebook while it streams, and the clean output that takes its place.

Why. JupyterLab renders an output again whenever it is updated, and Jupyter Server drops messages above its limits
(about 1,000 messages and 1 MB a second). A display that is updated with the whole text for every delta sends bytes
that grow with the square of the reply. Measured for a reply of 100 KB at 1,000 tokens a second, in JupyterLab 4.6 and
Chromium 156 (IOPub bytes, CPU of the browser, tasks over 50 ms):

    whole text, 15 updates a second                      40 MB    87 s    551 long tasks
    whole text, adaptive rate                           3.9 MB    23 s     94 long tasks
    finished blocks once, the tail 12 times a second    0.7 MB     6 s      6 long tasks
    finished pages of 3 KB, the tail as above           1.0 MB     9 s      4 long tasks

With one update for each of 20,000 deltas, 3,700 of the messages never arrived. So pages: as cheap as blocks, with far
fewer outputs.

How. Each module does one thing:

    slices.py         cuts growing Markdown where the reader does not see it, with the one grammar
    pages.py          renders each finished slice once, as a page; what follows is the tail; a byte budget
    display_slots.py  spreads the pages over three displays (the reply's and the panel's two), so that a settled
                      page is sent a few times at most, however long the reply becomes
    page.py           the presenter of a notebook: the status line, the rate, the finished reply in place
    event_log.py      the same for `--events`: a table of bounded size, or lines in a terminal
    unfinished.py     closes what is open in the paragraph that grows, so that no half marker is seen
    grid.py           several replies side by side, for `--times` and `--compare`, and their static twin
    grid_widgets.py   their live columns; a script holds the height of each
    grid_style.py     how they look
    detached.py       replies that come when no cell runs, after a press on a button
    interrupts.py     holds an interrupt back while one message is sent whole

Rules that the figures rest on. At most 6.5 bytes are sent for each byte of the reply, plus 5 KB a second and 400 KB
once (`pages.Budget`); the finished reply is always within it. A display is drawn at most 11 times a second, and never
more than a fifth of the time. Nothing is cleared: `clear_output` moves the reader's scroll position, so each display
becomes in place what it is to be at the end. Values are computed first and sent whole, so that Stop is obeyed at any
moment. `python -m tests.bench c` measures bytes, messages and CPU in a real kernel; tests/browser/test_live_page.py
looks at the page.
"""
