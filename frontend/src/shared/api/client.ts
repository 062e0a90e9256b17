import createClient from 'openapi-fetch'
import type { paths } from './schema'
import type { CityEntry, Problem } from './types'

/**
 * What went wrong with a request. `offline` means that no answer came at all, so the server may or may not have acted;
 * everything else is the server's own word.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `status ${status}`)
  }

  get offline(): boolean {
    return this.status === 0
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** Awaits an answer and gives its data, or throws an ApiError. An abort passes through as it is. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<T> {
  const answer = await settle(request)
  if (answer.data === undefined) throw new ApiError(answer.response.status, {})
  return answer.data
}

/** Awaits the end of an act whose answer has no content, or throws an ApiError. */
export async function done(request: Promise<Answer<unknown>>): Promise<void> {
  await settle(request)
}

async function settle<T>(request: Promise<Answer<T>>): Promise<Answer<T>> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new ApiError(0, {})
  }
  if (!answer.response.ok) {
    const problem = typeof answer.error === 'object' && answer.error ? (answer.error as Partial<Problem>) : {}
    // A proxy in front of the service answers 502–504 in its stead: nobody knows whether the act was done.
    throw new ApiError(
      [502, 503, 504].includes(answer.response.status) && !problem.code ? 0 : answer.response.status,
      problem,
    )
  }
  return answer
}

/** `refused` is told when the service does not know who asks (401) or does not let them (403). */
export function cityClient(city: string, refused: () => void = () => {}) {
  const client = createClient<paths>({
    baseUrl: `${location.origin}/${city}/v1`,
    // Lists are written as one comma-separated value, as the API takes them.
    querySerializer: { array: { style: 'form', explode: false } },
  })
  client.use({
    onResponse({ response, schemaPath }) {
      // To sign in is to be refused or not: it says nothing of the session there was.
      if ((response.status === 401 || response.status === 403) && !schemaPath.startsWith('/session')) refused()
    },
  })
  return client
}

export type CityClient = ReturnType<typeof cityClient>

export async function listCities(signal: AbortSignal): Promise<CityEntry[]> {
  const answer = ask<{ cities: CityEntry[] }>(
    fetch('/cities', { signal, headers: { accept: 'application/json' } }).then(async response =>
      response.ok ? { data: await response.json(), response } : { response },
    ),
  )
  return (await answer).cities
}
