// The servers of a cluster, each a process of its own on a free loopback port, stopped by its pid. Databases and nginx run as an
// unprivileged user.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const isRoot = process.getuid() === 0;
const nobody = isRoot ? { uid: id('-u'), gid: id('-g') } : {};

function id(flag) {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function until(what, isSo, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await Promise.resolve().then(isSo).catch(() => false)) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(25);
  }
}

/** A process that can be ended in several ways; everything that it says goes to a file. */
class Server {
  constructor(name, folder, command, options = {}) {
    Object.assign(this, { name, folder, command, options });
  }

  start() {
    const log = openSync(join(this.folder, `${this.name}.log`), 'a');
    const [program, ...words] = this.command;
    this.process = spawn(program, words, { cwd: this.folder, stdio: ['ignore', log, log], ...this.options });
    const process = this.process;
    this.ended = new Promise((resolve) => process.on('exit', (code, signal) => { process.isOver = true; resolve({ code, signal }); }));
  }

  async stop(signal) {
    if (!this.process || this.process.isOver) return { code: 0 };
    this.process.kill(signal);
    return this.ended;
  }

  log() {
    const file = join(this.folder, `${this.name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

function ownFolder(folder, name) {
  const own = join(folder, name);
  mkdirSync(own);
  if (isRoot) chownSync(own, nobody.uid, nobody.gid);
  return own;
}

export class Postgres extends Server {
  static async make(folder) {
    const releases = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
    const programs = join('/usr/lib/postgresql', releases[0], 'bin');
    const own = ownFolder(folder, 'postgres');
    execFileSync(join(programs, 'initdb'), ['-D', 'data', '-U', 'symbolon', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { cwd: own, stdio: 'ignore', ...nobody });
    const port = await freePort();
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100'].flatMap((setting) => ['-c', setting]);
    const server = new Postgres('postgres', own, [join(programs, 'postgres'), '-D', 'data', '-p', String(port), ...settings], nobody);
    server.programs = programs;
    server.port = port;
    await server.begin();
    return server;
  }

  async begin() {
    this.start();
    await until('PostgreSQL', () => this.psql('SELECT 1') === '1');
  }

  get url() {
    return `postgres://symbolon@127.0.0.1:${this.port}/postgres`;
  }

  psql(statement) {
    const words = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'symbolon', '-Atqc', statement, 'postgres'];
    return execFileSync(join(this.programs, 'psql'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  }
}

export class Redis extends Server {
  static async make(folder) {
    const port = await freePort();
    const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const server = new Redis('redis', ownFolder(folder, 'redis'), ['redis-server', ...words], nobody);
    server.port = port;
    await server.begin();
    return server;
  }

  async begin() {
    this.start();
    await until('Redis', async () => (await this.asks('PING')).startsWith('+PONG'));
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  asks(command) {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.setTimeout(2000, () => socket.destroy(new Error('silent')));
      socket.on('data', (data) => { resolve(data.toString()); socket.end(); });
      socket.on('error', reject);
    });
  }
}

export class Nginx extends Server {
  static async make(folder, port, nodes) {
    const own = ownFolder(folder, 'nginx');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${own}/${name};`).join(' ');
    writeFileSync(join(own, 'nginx.conf'), `
      daemon off; master_process off; pid ${own}/nginx.pid; error_log ${own}/error.log;
      events { worker_connections 2048; }
      http {
        access_log off; ${temporary}
        upstream symbolon { ${nodes.map((node) => `server 127.0.0.1:${node.port} max_fails=0;`).join(' ')} }
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://symbolon;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_connect_timeout 2s;
          }
        }
      }`);
    const server = new Nginx('nginx', own, ['nginx', '-p', own, '-c', join(own, 'nginx.conf'), '-e', join(own, 'error.log')], nobody);
    server.start();
    await until('nginx', () => answers(port));
    return server;
  }
}

/** True when anybody speaks HTTP there. */
async function answers(port) {
  await fetch(`http://127.0.0.1:${port}/`);
  return true;
}

export class Node extends Server {
  static async make(folder, number, settings, program) {
    const own = join(folder, `node-${number}`);
    mkdirSync(own);
    const [port, operations] = [await freePort(), await freePort()];
    writeFileSync(join(own, 'symbolon.toml'), settings({ port, operations }));
    const node = new Node(`node-${number}`, own, [program, 'serve'], { env: { ...process.env, RUST_LOG: 'warn,symbolon=info' } });
    Object.assign(node, { port, operations, program });
    return node;
  }

  /** The next start is one of another program. */
  becomes(program) {
    this.program = program;
    this.command = [program, 'serve'];
  }

  async begin() {
    const began = Date.now();
    this.start();
    await until(this.name, async () => (await fetch(`http://127.0.0.1:${this.operations}/readyz`)).ok);
    return Date.now() - began;
  }

  /** The program as an operator runs it beside this node. */
  runs(...words) {
    return JSON.parse(execFileSync(this.program, [...words, '--json'], { cwd: this.folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  /** The same with something on its standard input. */
  runsWith(input, ...words) {
    return JSON.parse(execFileSync(this.program, [...words, '--json'], { cwd: this.folder, encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'inherit'] }));
  }
}
