import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { tinyArchive } from './pmtiles'

/**
 * A gridgov of the test's own: free ports, a fresh private database, the Haining demo, a basemap. GRIDGOV_URL names one
 * that runs, GRIDGOV_BASEMAP the file and GRIDGOV_DATA the data folder that it was started with.
 */
export interface Server {
  url: string
  /** The basemap's file, which a test may take away. */
  basemap: string
  /** Runs the binary on the same data, and gives what it printed. */
  run(...args: string[]): Promise<string>
  /** Ends it without a word, as a machine does that loses its power, and starts it again at the same address. */
  crash(): Promise<void>
  /** Goes on as a version whose phone app is a newer one. */
  update(): Promise<void>
  stop(): Promise<void>
}

/** The password of the demo's accounts, as the service tells those who have not signed in; undefined while there are none. */
export async function demoPassword(url: string): Promise<string | undefined> {
  const { demo_accounts } = await (await fetch(`${url}/haining/v1/session`)).json()
  return demo_accounts?.find((a: { login: string }) => a.login === 'desk')?.password
}

/** Signs in beside the page; gives the cookie that stands for the session. */
export async function cookieOf(url: string, login: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/haining/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password }),
  })
  if (!answer.ok) throw new Error(`${login} may not sign in: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map(c => c.split(';')[0])
    .join('; ')
}

async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const s = createServer()
    s.once('error', fail)
    s.listen(0, '127.0.0.1', () => {
      const at = s.address()
      s.close(() => (typeof at === 'object' && at ? done(at.port) : fail(new Error('no port'))))
    })
  })
}

/** Asks again and again until the question is answered with something true; fails with the last reason. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false | null>,
  withinMs = 45_000,
): Promise<T> {
  const end = Date.now() + withinMs
  let last: unknown
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (answer) return answer
    } catch (e) {
      last = e
    }
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error(`${what}: not within ${withinMs} ms`, { cause: last })
}

/** Serves a copy of the data folder that setup.ts filled, which comes up in seconds. */
export async function startServer(): Promise<Server> {
  const given = process.env.GRIDGOV_URL
  if (given) {
    return {
      url: given.replace(/\/$/, ''),
      basemap: process.env.GRIDGOV_BASEMAP ?? '',
      run: onData(process.env.GRIDGOV_DATA ?? ''),
      crash: () => Promise.reject(new Error('a server that others started is not crashed')),
      update: () => Promise.reject(new Error('a server that others started is not changed')),
      stop: async () => {},
    }
  }
  const data = await dataFolder()
  await promisify(execFile)('cp', ['-a', '--reflink=auto', `${inject('demo')}/.`, data])
  return serveDemo(data)
}

/** An empty folder that PostgreSQL may enter, as whomever it runs: else root's cluster would lie elsewhere and stay there. */
export async function dataFolder(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'gridgov-e2e-'))
  await chmod(data, 0o711)
  return data
}

const binary = resolve(import.meta.dirname, '../../bin/gridgov')

const onData =
  (data: string) =>
  async (...args: string[]) =>
    (await promisify(execFile)(binary, [...args, '--data', data])).stdout.trim()

/** Serves the demo on the folder, which stop removes; `keep` leaves it. */
export async function serveDemo(data: string, keep = false): Promise<Server> {
  const [port, admin] = [await freePort(), await freePort()]
  const basemap = join(data, 'ground.pmtiles')
  await writeFile(basemap, tinyArchive('<a href="https://example.org">© Nobody</a>'))
  const addresses = ['--addr', `127.0.0.1:${port}`, '--admin-addr', `127.0.0.1:${admin}`]
  const args = ['serve', '--data', data, '--basemap', basemap, ...addresses]
  let said = ''
  let program = binary
  const begin = (...more: string[]) => {
    const child = spawn(program, [...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', d => (said += d))
    return child
  }
  let child = begin('--demo', 'haining', '--demo-until', '2026-11-01')
  const url = `http://127.0.0.1:${port}`
  let cookie = ''
  try {
    await until(
      'the demo city is served',
      async () => {
        if (child.exitCode !== null) throw new Error('the server ended')
        // Before the accounts are there, to try them would be to guess.
        const password = await demoPassword(url)
        if (!password) return false
        cookie ||= await cookieOf(url, 'desk', password)
        const city = await (await fetch(`${url}/haining/v1/`, { headers: { cookie } })).json()
        if (city.reports !== 120_000) return false
        // Then what was screened, ordered and investigated before; last, the points of patrols.
        const { screenings } = await (await fetch(`${url}/haining/v1/screenings`, { headers: { cookie } })).json()
        if (screenings.length < 3) return false
        const { points } = await (await fetch(`${url}/haining/v1/patrols/points`, { headers: { cookie } })).json()
        return points.length >= 9
      },
      220_000,
    )
  } catch (e) {
    await stop(child)
    await rm(data, { recursive: true, force: true })
    throw new Error(`gridgov did not come up:\n${said}`, { cause: e })
  }
  const servedAgain = () =>
    until('it is served again', async () => (await fetch(`${url}/haining/v1/session`)).ok, 60_000)
  return {
    url,
    basemap,
    run: onData(data),
    async crash() {
      await stop(child, 'SIGKILL')
      child = begin()
      await servedAgain()
    },
    async update() {
      await stop(child)
      program = await withNewerApp(join(data, 'gridgov'))
      child = begin()
      await servedAgain()
    },
    async stop() {
      await stop(child)
      if (!keep) await rm(data, { recursive: true, force: true })
    },
  }
}

/** The binary once more, with another revision of the phone app's page in the worker that it holds. */
async function withNewerApp(to: string): Promise<string> {
  const worker = await readFile(resolve(import.meta.dirname, '../dist/field-worker.js'), 'utf8')
  const revision = /revision:[`'"]([0-9a-f]{16})[`'"]/.exec(worker)?.[1]
  if (!revision) throw new Error('the worker names no revision of its page')
  const bytes = await readFile(binary)
  const at = bytes.indexOf(revision)
  if (at < 0) throw new Error('the binary holds another worker than dist/: build it anew')
  bytes.write(revision[0] === '0' ? '1' : '0', at)
  await writeFile(to, bytes, { mode: 0o755 })
  return to
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(done => child.once('exit', done))
  child.kill(signal)
  await ended
}
