// An HTTP/2 server by Node in front of an rps-grpc: it passes each stream on. So a client meets an
// HTTP/2 server that others wrote, and the answers are the game's.
//
//     node http2_peer.js PORT STREAMS_MAX
//
// PORT is the port of rps-grpc on 127.0.0.1. A connection is closed with GOAWAY after so many
// streams; 0: never. Its SETTINGS allow few streams, no table of headers and windows of 100 bytes.
//
// The first line on stdout is the port that it listens on.
'use strict';

const http2 = require('node:http2');

const [backendPort, streamsMax] = process.argv.slice(2).map(Number);

function pass(backend, stream, headers) {
  if (backend.destroyed) return stream.close();
  const onward = backend.request(headers);
  let trailers = {};
  onward.on('response', (reply, flags) => {
    const endStream = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (!stream.closed) stream.respond(reply, {endStream, waitForTrailers: !endStream});
  });
  onward.on('trailers', (fields) => { trailers = fields; });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const [one, other] of [[stream, onward], [onward, stream]]) {
    one.on('error', () => other.close());
    one.pipe(other);
  }
}

const settings = {maxConcurrentStreams: 50, headerTableSize: 0, initialWindowSize: 100};
const server = http2.createServer({settings});
server.on('session', (session) => {
  const backend = http2.connect(`http://127.0.0.1:${backendPort}`);
  backend.on('error', () => session.destroy());
  session.on('error', () => {});
  session.on('close', () => backend.destroy());
  let streams = 0;
  session.on('stream', (stream, headers) => {
    pass(backend, stream, headers);
    streams += 1;
    if (streams === streamsMax) session.close();
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
