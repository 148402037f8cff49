#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/*
 * A small client for Patina, in one file and without packages (Node 18 or later).
 *
 *     PATINA_KEY=... node patina-client.mjs PHOTO "PROMPT" [FOLDER]
 *
 * or from a program:
 *
 *     const client = new Client('http://127.0.0.1:8080', key);
 *     const job = await client.retexture(await client.upload(photoBytes), 'carved from walnut');
 *     const task = await client.wait(job.job_id);
 */
import { readFile, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** What the service has answered, or why a job has failed. */
export class PatinaError extends Error {
  constructor({ code, message, detail }) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

export class Client {
  constructor(base = 'http://127.0.0.1:8080', key = '') {
    this.base = base.replace(/\/+$/, '');
    this.key = key;
  }

  /** An imgUrl for the bytes of a JPEG, PNG or WebP. */
  async upload(photo) {
    return (await this.#call('POST', '/api/v1/uploads', photo)).imgUrl;
  }

  /** Starts a job. Sent again when the answer is lost: the key makes that harmless. */
  retexture(imgUrl, remixPrompt, callback = null) {
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = JSON.stringify({ imgUrl, remixPrompt, callback });
    return this.#call('POST', '/api/v1/retexture', body, headers, 4);
  }

  job(id) {
    return this.#call('GET', `/api/v1/job/${id}`, undefined, {}, 4);
  }

  cancel(id) {
    return this.#call('POST', `/api/v1/job/${id}/cancel`);
  }

  /** The task at each change, until the job's end. */
  async *events(id) {
    const answer = await this.#fetch('GET', `/api/v1/job/${id}/events`);
    let text = '';
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const blocks = text.split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data) yield JSON.parse(data.slice(6));
      }
    }
  }

  /** The task when the job has ended; throws when it has failed. */
  async wait(id, everyMs = 1000) {
    for (;;) {
      const task = await this.job(id);
      if (task.status === 'completed') return task;
      if (task.status === 'failed') throw new PatinaError(task.error);
      await sleep(everyMs);
    }
  }

  /** A result's bytes: its URL needs no key. */
  async download(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  #fetch(method, path, body, headers = {}) {
    return fetch(this.base + path, { method, body, headers: { 'x-api-key': this.key, ...headers } });
  }

  async #call(method, path, body, headers, tries = 1) {
    for (let left = tries - 1; ; left--) {
      let answer;
      try {
        answer = await this.#fetch(method, path, body, headers);
      } catch (lost) {
        if (left <= 0) throw lost;
        await sleep(1000);
        continue;
      }
      if (answer.ok) return answer.json();
      const error = await answer.json();
      if (![429, 503].includes(answer.status) || left <= 0) throw new PatinaError(error);
      await sleep(1000 * Number(answer.headers.get('Retry-After') ?? 1));
    }
  }
}

async function main(photo, prompt, folder = '.') {
  const client = new Client(process.env.PATINA_URL, process.env.PATINA_KEY);
  const job = await client.retexture(await client.upload(await readFile(photo)), prompt);
  for await (const task of client.events(job.job_id)) {
    console.error(task.status, task.detail?.progress ?? 0);
  }
  const { output } = await client.wait(job.job_id);
  for (const url of [output.image_url, ...output.image_urls]) {
    const path = join(folder, basename(new URL(url).pathname));
    await writeFile(path, await client.download(url));
    console.log(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.length < 4 || process.argv.length > 5 || !process.env.PATINA_KEY) {
    console.error('usage: PATINA_KEY=... patina-client.mjs PHOTO "PROMPT" [FOLDER]');
    process.exit(1);
  }
  await main(...process.argv.slice(2)).catch((error) => {
    console.error(error.code ? `${error.code}: ${error.message}` : error.message);
    process.exitCode = 1;
  });
}
