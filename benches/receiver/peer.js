// The bare minimum to compare the receiver with: checks the HMAC in constant time,
// parses the JSON, answers 202, stores nothing.
'use strict';
const crypto = require('node:crypto');
const http = require('node:http');

const [port, secret] = [Number(process.argv[2]), process.argv[3]];

http
  .createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const expected = Buffer.from(
        'sha256=' + crypto.createHmac('sha256', secret).update(body).digest('hex'),
      );
      const given = Buffer.from(request.headers['x-hub-signature-256'] ?? '');
      if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) {
        response.writeHead(401).end();
        return;
      }
      const event = JSON.parse(body.toString('utf8'));
      response.writeHead(event.pull_request ? 202 : 400).end();
    });
  })
  .listen(port, '127.0.0.1', () => console.log(`listening at 127.0.0.1:${port}`));
