import type { Session } from '../api/types'
import type { Absence } from './session'

/**
 * Where a person goes after signing in: back to where they were sent away from, if that is a page of this city. Anything
 * else — another site, another city, the interface, the sign-in page itself — is none.
 */
export function wayBack(wish: unknown, city: string): string | null {
  if (typeof wish !== 'string' || wish.length > 4000) return null
  const base = 'https://page.invalid'
  // A browser reads "//host" and "/\host" as another host, and drops control characters before it reads.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (!wish.startsWith('/') || /^\/[/\\]|[\\\u0000-\u001f\u007f]/.test(wish)) return null
  let to: URL
  try {
    to = new URL(wish, base)
  } catch {
    return null
  }
  if (to.origin !== base || to.username !== '' || to.password !== '') return null
  const path = to.pathname.replace(/\/+$/, '')
  if (path !== `/${city}` && !path.startsWith(`/${city}/`)) return null
  const rest = path.slice(city.length + 1)
  if (rest === '/v1' || rest.startsWith('/v1/') || rest.startsWith('/sign-in') || rest.includes('//')) return null
  return to.pathname + to.search + to.hash
}

/** What is open in the detail of a page of the map. */
const selected = (path: string) => new URL(path, 'https://page.invalid').searchParams.get('sel')

/** The way in from the open map: back to it after signing in only where something was chosen on it. */
export function wayIn(from: string, city: string): { path: string; query: { next?: string } } {
  const next = wayBack(from, city)
  return { path: `/${city}/sign-in`, query: next && selected(next) ? { next } : {} }
}

/** A page of a city as the way there is decided by: what it is and where it stands. */
export interface Place {
  page: 'map' | 'sign-in' | 'other'
  /** Path, query and hash. */
  path: string
  /** Of the sign-in page: where to go after it. */
  next?: unknown
}

/**
 * Another page that has to be shown first or instead, null where the place itself may be shown. `start` is where a person
 * begins who wanted to go nowhere else.
 */
export function detour(
  s: Session,
  to: Place,
  city: string,
  absence: Absence,
  start = `/${city}`,
): { path: string; next?: string } | null {
  const account = `/${city}/account`
  if (!s.signed_in) {
    if (to.page === 'sign-in') return null
    // Who was at work signs in again, and so does who was sent a report: the open map shows none.
    const open = to.page === 'map' && s.public_map && absence !== 'ended'
    if (open && !selected(to.path)?.startsWith('report:')) return null
    const next = absence === 'left' ? null : wayBack(to.path, city)
    return { path: `/${city}/sign-in`, ...(next && next !== `/${city}` ? { next } : {}) }
  }
  if (s.must_change_password || s.needs_second_factor) return isAt(to.path, account) ? null : { path: account }
  if (to.page === 'sign-in') return { path: wayBack(to.next, city) ?? start }
  return null
}

const isAt = (path: string, page: string) => /^[^?#]*/.exec(path)![0].replace(/\/+$/, '') === page
