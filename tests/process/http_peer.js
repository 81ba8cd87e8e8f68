// An HTTP server by Node in front of one of ours: it passes each request on and gives the answer its
// own form. So a client meets an HTTP server that others wrote, and the answers are the game's.
//
//     node http_peer.js PORT FORM
//
// PORT is the port on 127.0.0.1 of rps-jsonrpc, or of the REST gateway of rps-grpc. FORM is one of
//
//     chunked    Transfer-Encoding: chunked, in two chunks, with a trailer
//     length     Content-Length
//     close      chunked, and Connection: close with every answer
//     <number>   Content-Length, and Connection: close after so many answers on a connection
//
// The first line on stdout is the port that it listens on.
'use strict';

const http = require('node:http');

const [backendPort, form] = [Number(process.argv[2]), process.argv[3]];
const isChunked = form === 'chunked' || form === 'close';
const agent = new http.Agent({keepAlive: true});

function collect(stream, then) {
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => then(Buffer.concat(parts)));
}

function answer(response, status, headers, body) {
  response.statusCode = status;
  if (headers['content-type']) response.setHeader('Content-Type', headers['content-type']);
  if (form === 'close') response.setHeader('Connection', 'close');
  if (!isChunked) {
    response.setHeader('Content-Length', body.length);
    return response.end(body);
  }
  response.setHeader('Trailer', 'X-Bytes');
  const middle = body.length >> 1;
  response.write(body.subarray(0, middle));
  setImmediate(() => {
    response.write(body.subarray(middle));
    response.addTrailers({'X-Bytes': String(body.length)});
    response.end();
  });
}

const server = http.createServer((request, response) => {
  collect(request, (body) => {
    const type = request.headers['content-type'];
    const options = {
      host: '127.0.0.1',
      port: backendPort,
      method: request.method,
      path: request.url,
      headers: {...(type && {'Content-Type': type}), 'Content-Length': body.length},
      agent,
    };
    const onward = http.request(options, (reply) => {
      collect(reply, (text) => answer(response, reply.statusCode, reply.headers, text));
    });
    onward.on('error', () => answer(response, 502, {}, Buffer.alloc(0)));
    onward.end(body);
  });
});

if (Number(form) > 0) server.maxRequestsPerSocket = Number(form);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
