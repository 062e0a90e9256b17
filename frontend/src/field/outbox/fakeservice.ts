/** A service for tests: it keeps what it was told as the real one does, and fails as lines and portals do. */
export type Fault = 'lost' | 'unheard' | 'portal' | 'stranger' | 'redirect' | 'broken' | 'busy'

export class FakeService {
  person = 'p1'
  signedIn = true
  /** By how much its clock is behind that of the phone, in ms. */
  behindMs = 0
  now = Date.parse('2026-11-27T02:00:00Z')
  /** What happens to the next requests, one each; null: nothing. */
  faults: (Fault | null)[] = []
  reports = new Map<string, { body: string; times: number }>()
  /** Voice notes too; `refusal`: what they are found to be once all is there. */
  photos = new Map<string, { kind: string; length: number; bytes: Uint8Array; at: number; refusal?: string }>()
  /** Voice notes are refused for this. */
  unheard: string | null = null
  /** What the picture of a photo was, by its sender's word. */
  taken = new Map<string, string>()
  acts = new Map<string, string>()
  version = 3
  /** Cases are shown to who asks. */
  shows = true
  /** Whether it keeps what comes too late, and what it has kept. */
  keepsLate = true
  late = new Map<string, string>()
  /** Reports of these items are not allowed. */
  refused = new Map<string, { status: number; code: string }>()
  asked: string[] = []
  /** Bytes of a part that come through before the line breaks. */
  cut: number | null = null

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.asked.push(`${init.method} ${url.replace('/haining/v1', '')}`)
    const fault = this.faults.shift() ?? null
    if (fault === 'lost') throw new TypeError('no line')
    if (fault === 'portal')
      return new Response('<html>Welcome</html>', { status: 200, headers: { 'Content-Type': 'text/html' } })
    if (fault === 'stranger') return this.json(200, { success: true, signed_in: 'guest', state: 'ok' })
    if (fault === 'redirect') return new Response(null, { status: 302, headers: { Location: 'http://portal/' } })
    if (fault === 'busy') return problem(429, 'too_many', { 'Retry-After': '7' })
    if (fault === 'broken') return problem(500, 'internal')
    const answer = await this.answer(url.replace('/haining/v1', ''), init)
    if (fault === 'unheard') throw new TypeError('the answer was lost')
    return answer
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    const method = init.method ?? 'GET'
    const headers = new Headers(init.headers)
    if (path === '/session') {
      const body = this.signedIn ? { signed_in: true, person: { id: this.person } } : { signed_in: false }
      return this.json(200, body)
    }
    if (!this.signedIn) return problem(401, 'not_signed_in')
    const named = headers.get('Gridgov-Person')
    if (named && named !== this.person) return problem(401, 'somebody_else')
    if (path === '/reports') return this.file(String(init.body))
    if (path === '/uploads') {
      const metadata = new Map(
        headers
          .get('Upload-Metadata')!
          .split(',')
          .map(m => m.split(' ') as [string, string]),
      )
      const id = atob(metadata.get('id')!)
      const kind = atob(metadata.get('kind') ?? btoa('photo'))
      if (metadata.has('taken')) this.taken.set(id, atob(metadata.get('taken')!))
      const there = this.photos.get(id)
      if (!there)
        this.photos.set(id, {
          kind,
          ...(kind === 'voice' && this.unheard ? { refusal: this.unheard } : {}),
          length: Number(headers.get('Upload-Length')),
          bytes: new Uint8Array(Number(headers.get('Upload-Length'))),
          at: 0,
        })
      return tus(201, this.photos.get(id)!.at)
    }
    const upload = /^\/uploads\/(.+)$/.exec(path)
    if (upload) return this.part(upload[1]!, method, headers, init.body as Blob)
    const file = /^\/(photo|voice)s\/(.+)$/.exec(path)
    if (file) {
      const p = this.photos.get(file[2]!)
      if (p?.kind !== file[1]) return problem(404, 'not_found')
      if (p!.at < p!.length) return this.json(200, { state: 'uploading' })
      return this.json(200, p!.refusal ? { state: 'refused', refusal: p!.refusal } : { state: 'ready' })
    }
    const act = /^\/cases\/(.+)\/acts$/.exec(path)
    if (act) {
      const body = JSON.parse(String(init.body))
      if (!this.acts.has(body.key)) {
        if (body.version !== this.version) {
          if (!body.keep_late || !this.keepsLate) return problem(409, 'case_changed')
          this.late.set(body.key, JSON.stringify(body))
          return problem(409, 'kept_late')
        }
        this.acts.set(body.key, JSON.stringify(body))
      }
      return this.json(200, { ref: act[1], case: { state: 'verified' }, acts: [] })
    }
    if (/^\/cases\/[^/]+$/.test(path)) {
      if (!this.shows) return problem(404, 'not_found')
      const by = { name: '周队' }
      return this.json(200, {
        ref: path.slice(7),
        case: { state: 'rework' },
        acts: [{ n: this.version, act: 'send_back', at: '2026-11-27T01:59:00Z', reason: '还没清', by }],
        late: [],
      })
    }
    return problem(404, 'not_found')
  }

  private file(body: string): Response {
    const told = JSON.parse(body) as { id: string; item: string; photos?: string[]; voice?: string }
    const no = this.refused.get(told.item)
    if (no) return problem(no.status, no.code)
    for (const id of told.photos ?? []) {
      const p = this.photos.get(id)
      if (p?.kind !== 'photo' || p.at < p.length) return problem(400, 'unknown_photo')
    }
    if (told.voice) {
      const v = this.photos.get(told.voice)
      if (v?.kind !== 'voice' || v.at < v.length || v.refusal) return problem(400, 'unknown_voice')
    }
    const there = this.reports.get(told.id)
    if (there && there.body !== body) return problem(409, 'id_taken')
    this.reports.set(told.id, { body, times: (there?.times ?? 0) + 1 })
    const num = [...this.reports.keys()].indexOf(told.id) + 1
    return this.json(there ? 200 : 201, {
      id: told.id,
      num,
      received_at: new Date(this.now).toISOString(),
      placement: { method: 'inside', plan: '2026', grid: { code: '330481103200001', name: '一格' } },
    })
  }

  private async part(id: string, method: string, headers: Headers, body: Blob): Promise<Response> {
    const p = this.photos.get(id)
    if (!p) return problem(404, 'not_found', { 'Tus-Resumable': '1.0.0' })
    if (method === 'HEAD') return tus(200, p.at)
    const from = Number(headers.get('Upload-Offset'))
    if (from !== p.at) return problem(409, p.at === p.length ? 'upload_finished' : 'wrong_offset')
    const bytes = new Uint8Array(await body.arrayBuffer())
    if (this.cut !== null) {
      const some = bytes.subarray(0, this.cut)
      p.bytes.set(some, from)
      p.at += some.length
      this.cut = null
      throw new TypeError('the line broke')
    }
    p.bytes.set(bytes, from)
    p.at += bytes.length
    return tus(204, p.at)
  }

  private json(status: number, body: unknown): Response {
    const date = new Date(this.now - this.behindMs).toUTCString()
    return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', Date: date } })
  }
}

const tus = (status: number, at: number) =>
  new Response(null, { status, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': String(at) } })

function problem(status: number, code: string, more: Record<string, string> = {}): Response {
  const headers = { 'Content-Type': 'application/problem+json', ...more }
  return new Response(JSON.stringify({ status, code, title: code, detail: code }), { status, headers })
}
