import { describe, expect, it } from 'vitest'
import { type Request, type Send, UploadFault, upload } from './tus'

/** A service that keeps what came, and a line that breaks when the script says so. */
function service(script: ('ok' | 'lost' | number)[] = []) {
  const log: string[] = []
  let got: Uint8Array = new Uint8Array()
  let length: number | null = null
  const send: Send = async (r: Request, sent) => {
    const bytes = r.body ? new Uint8Array(await r.body.arrayBuffer()) : new Uint8Array()
    const at = Number(r.headers['Upload-Offset'] ?? 0)
    log.push(r.method === 'PATCH' ? `PATCH ${at}+${bytes.length}` : r.method)
    const next = script.shift() ?? 'ok'
    const none = { status: 0, header: () => null }
    if (typeof next === 'number' && next >= 100) return { status: next, header: () => null, code: 'told' }
    const answer = (status: number, code?: string) => ({
      status,
      code,
      header: (n: string) => (n === 'Upload-Offset' ? String(got.length) : null),
    })
    if (r.method === 'POST') {
      if (next !== 'ok') return none
      length ??= Number(r.headers['Upload-Length'])
      return answer(201)
    }
    if (r.method === 'HEAD') return next === 'ok' ? answer(200) : none
    if (at !== got.length) return answer(409, 'wrong_offset')
    // A line may break with nothing, or after so many bytes, which are kept.
    const kept = next === 'ok' ? bytes : next === 'lost' ? bytes : bytes.slice(0, next)
    got = Buffer.concat([got, kept])
    sent(kept.length)
    return next === 'ok' ? answer(204) : none
  }
  return { send, log, got: () => got, length: () => length }
}
const file = (n: number) => new Blob([Uint8Array.from({ length: n }, (_, i) => i % 251)])
const run = async (s: ReturnType<typeof service>, n: number) => {
  const waits: number[] = []
  const seen: number[] = []
  await upload(
    { at: '/u', id: 'an-id', file: file(n) },
    { send: s.send, progress: b => seen.push(b), broken: async times => void waits.push(times) },
    new AbortController().signal,
  )
  return { waits, seen }
}

describe('an upload', () => {
  it('sends parts of a megabyte, one where the other ends', async () => {
    const s = service()
    const { waits, seen } = await run(s, 2_500_000)
    expect(s.log).toEqual(['POST', 'PATCH 0+1048576', 'PATCH 1048576+1048576', 'PATCH 2097152+402848'])
    expect(s.length()).toBe(2_500_000)
    expect(Buffer.compare(s.got(), new Uint8Array(await file(2_500_000).arrayBuffer()))).toBe(0)
    expect(waits).toEqual([])
    expect(seen.at(-1)).toBe(2_500_000)
  })

  it('goes on after the line broke with what is there, and sends no byte twice', async () => {
    const s = service(['ok', 40, 'ok', 'ok'])
    await run(s, 100)
    expect(s.log).toEqual(['POST', 'PATCH 0+100', 'HEAD', 'PATCH 40+60'])
    expect([...s.got()]).toEqual([...new Uint8Array(await file(100).arrayBuffer())])
  })

  it('is done when the last part came and its answer did not', async () => {
    const s = service(['ok', 'lost'])
    await run(s, 100)
    expect(s.log).toEqual(['POST', 'PATCH 0+100', 'HEAD'])
  })

  it('begins again when the line breaks before anything was answered, and waits longer each time', async () => {
    const s = service(['lost', 'lost', 'ok', 40, 'lost', 503, 'ok'])
    const { waits } = await run(s, 100)
    expect(s.log).toEqual(['POST', 'POST', 'POST', 'PATCH 0+100', 'HEAD', 'HEAD', 'HEAD', 'PATCH 40+60'])
    expect(waits).toEqual([1, 2, 1, 2, 3])
    expect(s.got().length).toBe(100)
  })

  it('sends smaller parts where a proxy takes none so large, and gives up where it takes none at all', async () => {
    const proxied = (s: ReturnType<typeof service>, most: number) => {
      const send: Send = async (r, sent, signal) =>
        (r.body?.size ?? 0) > most ? { status: 413, header: () => null } : s.send(r, sent, signal)
      return { ...s, send }
    }
    const s = service()
    await run(proxied(s, 300_000), 600_000)
    expect(s.log).toEqual(['POST', 'PATCH 0+262144', 'PATCH 262144+262144', 'PATCH 524288+75712'])
    expect(Buffer.compare(s.got(), new Uint8Array(await file(600_000).arrayBuffer()))).toBe(0)
    await expect(run(proxied(service(), 100), 600_000)).rejects.toMatchObject({ status: 413 })
  })

  it('gives up what is refused', async () => {
    await expect(run(service([413]), 100)).rejects.toEqual(new UploadFault(413, 'told'))
    await expect(run(service(['ok', 404]), 100)).rejects.toBeInstanceOf(UploadFault)
  })
})
