import type { Answer as TusAnswer, Request as TusRequest } from '../../photo/tus'

/** How the service is reached; given, so that tests and the worker bring their own. */
export interface Wire {
  fetch: (url: string, init: RequestInit) => Promise<Response>
  /** This phone's clock, in ms. */
  now: () => number
  /** `/haining/v1` */
  api: string
  /** Who has done what is told: the service takes it from nobody else, whoever signs in while it is on its way. */
  person?: string
}

const headersOf = ({ person }: Wire): Record<string, string> => (person ? { 'Gridgov-Person': person } : {})

/**
 * What came back. `none`: no answer, or one of somebody else in between (the page of a captive portal, a proxy's error), so nobody knows
 * whether the service has acted.
 */
export type Answer =
  | { is: 'ok'; status: number; body: unknown; date: number | null; etag: string | null }
  | {
      is: 'problem'
      status: number
      code: string
      detail: string
      field?: string
      body: unknown
      afterMs: number | null
    }
  | { is: 'none' }

/** How long an answer may take. A part of a photo over a thin line takes its time. */
const patienceMs = 90_000

/** Ends a request that takes too long, or with `other`. By hand, as the browsers of old phones have neither timeout nor any. */
function patienceOf(other?: AbortSignal): { signal: AbortSignal; over: () => void } {
  const stop = new AbortController()
  const end = () => stop.abort()
  const timer = setTimeout(end, patienceMs)
  if (other?.aborted) end()
  other?.addEventListener('abort', end)
  return {
    signal: stop.signal,
    over() {
      clearTimeout(timer)
      other?.removeEventListener('abort', end)
    },
  }
}

/** With `etag` the answer may be 304, whose body is null: it is as it was. */
export async function exchange(
  wire: Wire,
  method: string,
  path: string,
  body?: unknown,
  etag?: string,
): Promise<Answer> {
  const headers: Record<string, string> = { ...headersOf(wire), Accept: 'application/json' }
  if (etag) headers['If-None-Match'] = etag
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  let text: string
  const patience = patienceOf()
  try {
    response = await wire.fetch(wire.api + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      // A portal sends elsewhere; the service never does.
      redirect: 'manual',
      cache: 'no-store',
      signal: patience.signal,
    })
    text = await response.text()
  } catch {
    return { is: 'none' }
  } finally {
    patience.over()
  }
  const told = { date: dateOf(response), etag: response.headers.get('ETag') }
  if (etag && response.status === 304 && told.etag === etag) return { is: 'ok', status: 304, body: null, ...told }
  const type = (response.headers.get('Content-Type') ?? '').split(';')[0]!.trim()
  const value = type === 'application/json' || type === 'application/problem+json' ? parsed(text) : undefined
  if (value === undefined) return response.status === 413 ? tooLarge : { is: 'none' }
  if (response.ok) return { is: 'ok', status: response.status, body: value, ...told }
  const problem = value as { code?: unknown; detail?: unknown; field?: unknown }
  if (typeof problem.code !== 'string') return { is: 'none' }
  return {
    is: 'problem',
    status: response.status,
    code: problem.code,
    detail: typeof problem.detail === 'string' ? problem.detail : '',
    ...(typeof problem.field === 'string' ? { field: problem.field } : {}),
    body: value,
    afterMs: afterMs(response.headers.get('Retry-After')),
  }
}

/** Whoever in between says so: no portal does, and it will not become smaller by waiting. */
const tooLarge: Answer = { is: 'problem', status: 413, code: 'too_large', detail: '', body: null, afterMs: null }

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** When the service wrote it, by its own clock, in ms; whole seconds are all that it says. */
function dateOf(response: Response): number | null {
  const at = Date.parse(response.headers.get('Date') ?? '')
  return Number.isNaN(at) ? null : at
}

const longestMs = 3_600_000

/** How long to wait, in ms. Only seconds are understood, and no more than an hour is believed. */
export function afterMs(s: string | null): number | null {
  return s && /^\d{1,9}$/.test(s) ? Math.min(longestMs, Number(s) * 1000) : null
}

/**
 * tus over fetch, which a service worker has; how much of a part has left is told once it is there. What does not say of itself that it
 * speaks the protocol is no answer.
 */
export const tusOver =
  (wire: Wire) =>
  async (request: TusRequest, sent: (bytes: number) => void, signal: AbortSignal): Promise<TusAnswer> => {
    const { method, url, headers, body } = request
    const patience = patienceOf(signal)
    try {
      const response = await wire.fetch(url, {
        method,
        headers: { ...headers, ...headersOf(wire) },
        body,
        redirect: 'manual',
        cache: 'no-store',
        signal: patience.signal,
      })
      const text = await response.text()
      const { code } = (parsed(text) ?? {}) as { code?: string }
      // What does not speak the protocol may still be the service's own word of why it does not take it.
      const heard = response.status === 413 || (!response.ok && typeof code === 'string')
      if (response.headers.get('Tus-Resumable') === null && !heard) return nothing
      if (response.ok && body) sent(body.size)
      return { status: response.status, header: name => response.headers.get(name), code }
    } catch (e) {
      if (signal.aborted) throw e
      return nothing
    } finally {
      patience.over()
    }
  }

const nothing: TusAnswer = { status: 0, header: () => null }
