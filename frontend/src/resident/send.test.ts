import { describe, expect, it } from 'vitest'
import type { Wire } from '../field/outbox/exchange'
import { type Draft, freshDraft } from './draft'
import { askCode, sendPhotos, tell } from './send'
import { memoryShelf } from './shelf'

type Reply = (method: string, path: string, headers: Headers, body: Blob | null) => Response | Promise<Response>
const wire = (reply: Reply): Wire => ({
  api: '/haining/v1',
  now: () => 0,
  fetch: async (url, init) =>
    reply(init.method!, url, new Headers(init.headers), init.body instanceof Blob ? init.body : null),
})
const json = (status: number, body: unknown, type = 'application/json') =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } })
const problem = (status: number, code: string) => json(status, { status, code }, 'application/problem+json')
const portal = () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })

const told = async (...files: Blob[]) => {
  const shelf = memoryShelf()
  const draft: Draft = { ...freshDraft(), told: { num: 7, secret: 's'.repeat(43), left: [], lost: 0 } }
  for (const [i, file] of files.entries()) {
    const id = `${draft.id.slice(0, -1)}${i}`
    draft.photos.push({ id, type: 'image/jpeg', size: file.size, original: '', at: 0 })
    draft.told!.left.push(id)
    await shelf.putBlob(id, file)
  }
  return { shelf, draft }
}

/** A service that keeps what comes, and speaks the protocol. */
function service(trouble: (method: string, id: string) => Response | null = () => null) {
  const kept = new Map<string, Uint8Array>()
  const secrets = new Set<string | null>()
  const w = wire(async (method, path, headers, body) => {
    secrets.add(headers.get('Report-Secret'))
    const id =
      method === 'POST' ? atob(headers.get('Upload-Metadata')!.replace('id ', '')) : (path.split('/').at(-1) ?? '')
    const other = trouble(method, id)
    if (other) return other
    const before = kept.get(id) ?? new Uint8Array()
    if (method === 'PATCH') {
      if (Number(headers.get('Upload-Offset')) !== before.length) return problem(409, 'wrong_offset')
      kept.set(id, new Uint8Array([...before, ...new Uint8Array(await body!.arrayBuffer())]))
    }
    const offset = String((kept.get(id) ?? before).length)
    const status = method === 'PATCH' ? 204 : 200
    return new Response(null, { status, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': offset } })
  })
  return { kept, secrets, wire: w }
}

describe('photos of a report that was told', () => {
  it('go one after the other, under the secret alone, and are kept here no longer than that', async () => {
    const { shelf, draft } = await told(new Blob(['aaaa']), new Blob(['bb']))
    const { kept, secrets, wire } = service()
    const lefts: number[] = []
    const became = await sendPhotos(wire, shelf, draft, async () => lefts.push(draft.told!.left.length))
    expect(became).toBe('done')
    expect(lefts).toEqual([1, 0])
    expect([...kept.values()].map(b => b.length)).toEqual([4, 2])
    expect([...secrets]).toEqual(['s'.repeat(43)])
    for (const p of draft.photos) expect(await shelf.blob(p.id, p.type)).toBeNull()
  })

  it.each([
    ['a line that is down', () => Promise.reject(new TypeError('no line'))],
    ['a portal', () => Promise.resolve(portal())],
    ['a proxy without a service', () => Promise.resolve(new Response('', { status: 502 }))],
    ['too much at once', () => Promise.resolve(problem(429, 'too_many_requests'))],
  ])('stay here over %s', async (_, answer) => {
    const { shelf, draft } = await told(new Blob(['aaaa']))
    expect(await sendPhotos(wire(answer), shelf, draft, async () => {})).toBe('line')
    expect(draft.told!.left).toHaveLength(1)
    expect(await shelf.blob(draft.photos[0]!.id, 'image/jpeg')).not.toBeNull()
    const { kept, wire: there } = service()
    expect(await sendPhotos(there, shelf, draft, async () => {})).toBe('done')
    expect(kept.size).toBe(1)
  })

  it('that the service does not wait for any more are given up, and the others go', async () => {
    const { shelf, draft } = await told(new Blob(['a']), new Blob(['b']), new Blob(['c']))
    const first = draft.photos[0]!.id
    await shelf.dropBlobs([draft.photos[1]!.id]) // cleared by the system
    const { kept, wire } = service((_, id) => (id === first ? problem(404, 'not_found') : null))
    expect(await sendPhotos(wire, shelf, draft, async () => {})).toBe('done')
    expect(draft.told).toMatchObject({ left: [], lost: 2 })
    expect([...kept.keys()]).toEqual([draft.photos[2]!.id])
  })

  it('are kept where the city takes none', async () => {
    const { shelf, draft } = await told(new Blob(['a']))
    const { wire } = service(() => problem(401, 'sign_in'))
    expect(await sendPhotos(wire, shelf, draft, async () => {})).toBe('closed')
  })

  it('that came whole before the page was gone are not sent again', async () => {
    const { shelf, draft } = await told(new Blob(['aaaa']))
    let parts = 0
    const { wire } = service(method => {
      if (method === 'PATCH') parts++
      return method === 'POST'
        ? new Response(null, { status: 200, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '4' } })
        : null
    })
    expect(await sendPhotos(wire, shelf, draft, async () => {})).toBe('done')
    expect(parts).toBe(0)
  })
})

describe('what is no answer of the service', () => {
  it('is no receipt and no code', async () => {
    const draft = freshDraft()
    for (const reply of [portal, () => json(200, []), () => json(200, { url: 'https://portal.example' })]) {
      expect(await tell(wire(reply), draft, '123456', 'zh')).toEqual({ is: 'none' })
      expect(await askCode(wire(reply), draft, 'zh')).toEqual({ is: 'none' })
    }
    expect(
      await tell(
        wire(() => problem(429, 'too_many_reports')),
        draft,
        '1',
        'zh',
      ),
    ).toMatchObject({ status: 429 })
  })
})
