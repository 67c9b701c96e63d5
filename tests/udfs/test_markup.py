import time

import pytest

from udfs import markup

CODE = (
    '<div class="markdown prose"><p><code>&lt;b&gt;</code> &amp; more:</p><pre><div class="bg-black"><div><span>python'
    '</span><button class="flex"><svg width="1em"><path d="M16 4h2"></path></svg>Copy code</button></div><div>'
    '<code class="!whitespace-pre hljs">if x &lt; 3:\n\n\n    print(1)\n</code></div></div></pre></div>'
)


@pytest.mark.parametrize(
    ("page", "markdown"),
    [
        (CODE, "`<b>` & more:\n\n```python\nif x < 3:\n\n\n    print(1)\n```"),
        ('<p>a</p><pre><code class="language-c++">x</code></pre>', "a\n\n```c++\nx\n```"),
        ("<p>Hello<br>World_x*</p>", "Hello  \nWorld_x*"),
        ("<p>a</p><ul><li>one</li><li><strong>two</strong></li></ul>", "a\n\n- one\n- **two**"),
        ('<p>a</p><ol start="3"><li><p>x</p></li><li><p>y</p></li></ol>', "a\n\n3. x\n4. y"),
        ("<p>a</p><pre><code></code></pre>", "a"),
        ("<p>a</p><pre>python<code></code></pre><p>b</p>", "a\n\nb"),
        ('<p>a</p><table><tr><td colspan="²">x</td></tr></table>', "a\n\n|  |\n| --- |\n| x |"),
        ('<p>a</p><ol start="²"><li><p>x</p><p>y</p></li><li></li><li>z</li></ol>', "a\n\n1. x\n\n   y\n3. z"),
        (
            "<p>a</p><table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
            "a\n\n| A | B |\n| --- | --- |\n| 1 | 2 |",
        ),
        (
            '<h2>T</h2><p>see <a href="http://x.y">it</a></p><blockquote><p>q</p></blockquote>',
            "## T\n\nsee [it](http://x.y)\n\n> q",
        ),
    ],
)
def test_a_piece_of_a_rendered_page_becomes_markdown(page, markdown):
    assert markup.html_to_markdown(page) == markdown
    assert markup.html_to_markdown(markdown) == markdown


def test_a_long_numbered_list_takes_linear_time():
    started = time.process_time()
    markdown = markup.html_to_markdown("<p>a</p><ol>" + "<li>x</li>" * 20_000 + "</ol>")
    assert markdown.endswith("\n19999. x\n20000. x")
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "kept",
    [
        "Use <p> for a paragraph.",
        "<ul>\n  <li>Home</li>\n</ul>",
        "<html><body><p>x</p></body></html>",
        "<p>one</p>\n\n<p>two, as an answer to: write HTML</p>",
        '<p style="color:red">x</p>',
        "<p>never closed",
        "<p>a < b</p>",
        "```html\n<p>x</p>\n```",
        "<form><p>x</p></form>",
        "<p>&#" + "9" * 5000 + ";</p>",
        "<p>" + "<b>" * 80 + "</b>" * 80 + "</p>",
    ],
)
def test_source_and_talk_about_html_stay(kept):
    assert markup.html_to_markdown(kept) == kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("D&amp;D", "D&D"),
        ("I&#39;m &quot;ok&quot;&nbsp;&#x263A; caf&eacute;", 'I\'m "ok" ☺ café'),
        ("&amp;amp;lt;", "<"),
        ("&amp;#38;#x26;amp &#38;nbsp;x&amp;", "&amp  x&"),
        ("`&lt;` but 3 &gt; 2\n```\na &amp;&amp; b\n```", "`&lt;` but 3 > 2\n```\na &amp;&amp; b\n```"),
    ],
)
def test_character_references_become_characters_outside_code(before, after):
    assert markup.unescape_html(before) == after


@pytest.mark.parametrize(
    "kept",
    [
        "In HTML write &lt; for <",
        "<b>x</b> &amp;",
        "escape it as &amp;",
        "转义为 &lt;",
        "p = &sum; AT&T; &copy;",
        "&#99999999;",
    ],
)
def test_references_that_may_be_meant_stay(kept):
    assert markup.unescape_html(kept) == kept
