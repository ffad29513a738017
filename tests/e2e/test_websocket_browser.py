"""Chromium's WebSocket: a page pushes with its token as a subprotocol, and none pushes that has none."""

import base64

import ui
import pushing
from pushing import PATH, documents

SCRIPT = """([url, protocols, messages]) => new Promise(resolve => {
  const told = [], socket = new WebSocket(url, protocols);
  socket.onopen = () => messages.forEach(message => socket.send(message));
  socket.onmessage = event => {
    told.push(JSON.parse(event.data));
    if (told.at(-1).Processed === messages.length) socket.close(1000, "done");
  };
  socket.onclose = event => resolve({told, protocol: socket.protocol, code: event.code, clean: event.wasClean, reason: event.reason});
})"""


def test_a_page_pushes(firth, tmp_path):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", {"authToken": "a page's token"}))
    bearer = "bearer." + base64.urlsafe_b64encode(b"a page's token").decode().rstrip("=")
    url = running.url.replace("http", "ws", 1) + PATH
    with ui.browser() as chromium:
        page = chromium.new_page()

        def push(protocols, *messages):
            return page.evaluate(SCRIPT, [url, protocols, list(messages)])

        answer = push(["json", bearer], '{"id":"a","text":"Zürich 🚲"}', *(f'{{"id":"{number}"}}' for number in range(2000)))
        assert answer["protocol"] == "json" and (answer["code"], answer["clean"]) == (1000, True)
        assert answer["told"][-1] == {"Processed": 2001}
        assert push(["csv", bearer], "id,n\nrow,1\n")["code"] == 1000
        refused = push([bearer, "json"], '{"id":"b"}', '{"id":7}')
        assert refused["code"] == 1002 and refused["clean"] and refused["told"][-1]["ApproximateFrame"] == 2
        assert "refused" in refused["reason"]
        assert push(["json", "bearer.d3Jvbmc"], '{"id":"c"}')["code"] == push([], '{"id":"c"}')["code"] == 1006
    found = documents(firth)
    assert [each["id"] for each in found] == ["a", *(str(number) for number in range(2000)), "row", "b"]
    assert found[0]["text"] == "Zürich 🚲"
