#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/*
 * Receives Patina's webhooks, and believes only those that are signed (Node 18 or later).
 *
 *     PATINA_WEBHOOK_SECRET=whsec_... node webhook-receiver.mjs [PORT]
 *
 * Prints a line per job that has ended. Put a TLS proxy in front: callbacks must be https.
 *
 * Every webhook is signed twice: as Standard Webhooks say and as the hosted service does. One of them
 * is enough to check; this checks both. Copy verify() into your own program.
 *
 * While a secret rotates the old one goes on to hold, for a day: start this with the new one within
 * it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const TOLERANCE_S = 300; // older ones may be replays

function same(given, wanted) {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const fresh = (timestamp, now) =>
  /^\d+$/.test(timestamp) && Math.abs(Number(timestamp) - now) <= TOLERANCE_S;

function standard(secret, headers, signatures, body, now) {
  const timestamp = headers['webhook-timestamp'] ?? '';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const hmac = createHmac('sha256', key);
  hmac.update(`${headers['webhook-id']}.${timestamp}.`).update(body);
  const wanted = `v1,${hmac.digest('base64')}`;
  return fresh(timestamp, now) && signatures.some((given) => same(given, wanted));
}

function hosted(secret, headers, body, now) {
  const timestamp = headers['x-legnext-timestamp'] ?? '';
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
  return fresh(timestamp, now) && same(headers['x-legnext-signature'] ?? '', wanted);
}

/** Whether a webhook is from the holder of the secret, and fresh. `headers` in lower case, `body`
 * the bytes as they came. */
export function verify(secret, headers, body, now = Date.now() / 1000) {
  const signatures = (headers['webhook-signature'] ?? '').split(' ');
  // While a secret rotates there are two, either of which may be ours; the hosted service's header
  // has room for the new secret's alone.
  const rotates = signatures.length > 1;
  return standard(secret, headers, signatures, body, now) &&
    (rotates || hosted(secret, headers, body, now));
}

function main(port = 8000) {
  if (!process.env.PATINA_WEBHOOK_SECRET?.startsWith('whsec_')) {
    console.error('PATINA_WEBHOOK_SECRET has to be what `patina webhook-secret show` prints');
    process.exit(1);
  }
  const seen = new Set(); // webhooks come at least once: keep these ids where they last
  const receive = (request, answer, body) => {
    if (!verify(process.env.PATINA_WEBHOOK_SECRET, request.headers, body)) {
      answer.writeHead(401).end();
      return;
    }
    if (!seen.has(request.headers['webhook-id'])) {
      seen.add(request.headers['webhook-id']);
      const task = JSON.parse(body);
      console.log(task.job_id, task.status, ...(task.output.image_urls ?? []));
    }
    answer.writeHead(204).end();
  };
  const server = createServer((request, answer) => {
    const pieces = [];
    // A sender that goes away in the middle has no end, and is forgotten.
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => receive(request, answer, Buffer.concat(pieces)));
  });
  server.listen(Number(port), '127.0.0.1', () => console.log('listening on', server.address().port));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
