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
 * To rotate the secret without losing a webhook, give both, the old one and the new one, separated
 * by a space.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const TOLERANCE_S = 300; // older ones may be replays

const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const fresh = (timestamp, now) =>
  /^\d+$/.test(timestamp) && Math.abs(Number(timestamp) - now) <= TOLERANCE_S;

function standard(secret, headers, body, now) {
  const timestamp = headers['webhook-timestamp'] ?? '';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const hmac = createHmac('sha256', key);
  hmac.update(`${headers['webhook-id']}.${timestamp}.`).update(body);
  const wanted = `v1,${hmac.digest('base64')}`;
  // While a secret rotates there are two signatures; either may be ours.
  const given = (headers['webhook-signature'] ?? '').split(' ');
  return fresh(timestamp, now) && given.some((g) => same(g, wanted));
}

function hosted(secret, headers, body, now) {
  const timestamp = headers['x-legnext-timestamp'] ?? '';
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
  return fresh(timestamp, now) && same(headers['x-legnext-signature'] ?? '', wanted);
}

/** Whether a webhook is from the holder of the secret, and fresh. `headers` in lower case, `body`
 * the bytes as they came. */
export function verify(secret, headers, body, now = Date.now() / 1000) {
  return standard(secret, headers, body, now) && hosted(secret, headers, body, now);
}

function main(port = 8000) {
  const seen = new Set(); // webhooks come at least once: keep these ids where they last
  const server = createServer(async (request, answer) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const secrets = process.env.PATINA_WEBHOOK_SECRET.split(' ');
    if (!secrets.some((secret) => verify(secret, request.headers, body))) {
      answer.writeHead(401).end();
      return;
    }
    if (!seen.has(request.headers['webhook-id'])) {
      seen.add(request.headers['webhook-id']);
      const task = JSON.parse(body);
      console.log(task.job_id, task.status, ...(task.output.image_urls ?? []));
    }
    answer.writeHead(204).end();
  });
  server.listen(Number(port), '127.0.0.1', () => console.log('listening on', server.address().port));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
