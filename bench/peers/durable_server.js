// A naive durable server, as one writes it in an hour: what has come is appended and synced together, then answered.
//   node durable_server.js FILE      says its port
const fs = require("fs");
const http = require("http");

const fd = fs.openSync(process.argv[2], "a");
let waiting = [];
let busy = false;

function sync() {
  if (busy || waiting.length === 0) return;
  const group = waiting;
  busy = true;
  waiting = [];
  fs.write(fd, Buffer.concat(group.map((each) => each.body)), (error) => {
    if (error) throw error;
    fs.fdatasync(fd, (failed) => {
      if (failed) throw failed;
      for (const { response } of group) response.end('{"published":1}');
      busy = false;
      sync();
    });
  });
}

http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    JSON.parse(body);
    waiting.push({ body, response });
    sync();
  });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
