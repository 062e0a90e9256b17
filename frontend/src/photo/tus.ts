/** Uploads by tus 1.0 (docs/photos.md): begun once under the photo's own id, and gone on with where the bytes end. */

export interface Request {
  method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE'
  url: string
  headers: Record<string, string>
  body?: Blob
}
export interface Answer {
  /** 0: none came. */
  status: number
  header: (name: string) => string | null
  /** The problem's code, where the service has told one. */
  code?: string
}
/** Sends a request; tells how many bytes of its body have left. An abort rejects. */
export type Send = (request: Request, sent: (bytes: number) => void, signal: AbortSignal) => Promise<Answer>

/** What is not got over by trying again. */
export class UploadFault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code)
  }
}

export interface Upload {
  /** The address of all uploads. */
  at: string
  /** Sent along with each request. */
  headers?: Record<string, string>
  id: string
  /** What it is, where it is no photo. */
  kind?: 'voice'
  /** SHA-256 of the picture that it was made of, in hex. */
  taken?: string
  file: Blob
}
export interface Hooks {
  send: Send
  /** So many bytes are there, or on their way. */
  progress(bytes: number): void
  /** The line is broken; resolves when it is time to try again. */
  broken(times: number, signal: AbortSignal): Promise<void>
}

/** Small enough to come through a bad line, large enough that 20 MB stay far below the service's 1,000 parts. */
const partBytes = 1 << 20
/** Smaller than what any proxy takes. */
const leastBytes = 1 << 16

/** Sends a file; what came through is never sent again, however often the line breaks. Rejects with an UploadFault or the abort. */
export async function upload(u: Upload, hooks: Hooks, signal: AbortSignal): Promise<void> {
  const headers = { ...u.headers, 'Tus-Resumable': '1.0.0' }
  const own = `${u.at}/${u.id}`
  let begun = false
  let offset = 0
  let failures = 0
  let most = partBytes
  const ask = async (): Promise<Answer> => {
    if (!begun) {
      const said = Object.entries({ id: u.id, kind: u.kind, taken: u.taken })
      const metadata = said.flatMap(([key, value]) => (value ? [`${key} ${btoa(value)}`] : [])).join(',')
      const more = { 'Upload-Length': String(u.file.size), 'Upload-Metadata': metadata }
      return hooks.send({ method: 'POST', url: u.at, headers: { ...headers, ...more } }, () => {}, signal)
    }
    if (failures > 0) return hooks.send({ method: 'HEAD', url: own, headers }, () => {}, signal)
    const body = u.file.slice(offset, offset + most)
    const more = { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' }
    const from = offset
    return hooks.send(
      { method: 'PATCH', url: own, headers: { ...headers, ...more }, body },
      sent => hooks.progress(from + sent),
      signal,
    )
  }
  for (;;) {
    const answer = await ask()
    signal.throwIfAborted()
    const at = Number(answer.header('Upload-Offset') ?? Number.NaN)
    if (answer.status >= 200 && answer.status < 300 && Number.isInteger(at)) {
      begun = true
      failures = 0
      offset = at
      hooks.progress(offset)
      if (offset >= u.file.size) return
      continue
    }
    if (answer.code === 'upload_finished') return
    // The service has not said so of the photo, so it was a proxy on the way, of this part.
    if (answer.status === 413 && answer.code === undefined && begun && most > leastBytes) {
      most /= 2
      continue
    }
    if (!again(answer)) throw new UploadFault(answer.status, answer.code ?? 'other')
    failures++
    await hooks.broken(failures, signal)
  }
}

/** Whether the same may be answered otherwise in a moment. What another part was quicker than is looked at anew. */
function again(a: Answer): boolean {
  return [0, 408, 425, 429, 460, 500, 502, 503, 504].includes(a.status) || a.code === 'wrong_offset'
}

/** The browser's own way, as it tells how much of a body has left. */
export const send: Send = (request, sent, signal) =>
  new Promise((done, fail) => {
    const xhr = new XMLHttpRequest()
    xhr.open(request.method, request.url)
    for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value)
    const abort = () => xhr.abort()
    signal.addEventListener('abort', abort, { once: true })
    xhr.upload.onprogress = e => sent(e.loaded)
    xhr.onabort = () => fail(signal.reason ?? new DOMException('aborted', 'AbortError'))
    xhr.onloadend = () => {
      signal.removeEventListener('abort', abort)
      let code: string | undefined
      try {
        code = (JSON.parse(xhr.responseText) as { code?: string }).code
      } catch {
        // Most answers have no body.
      }
      done({ status: xhr.status, header: name => xhr.getResponseHeader(name), code })
    }
    if (signal.aborted) xhr.abort()
    else xhr.send(request.body ?? null)
  })
