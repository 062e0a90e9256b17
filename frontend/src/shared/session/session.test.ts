import { describe, expect, it } from 'vitest'
import { ApiError, type CityClient } from '../api/client'
import type { HeldPost, Session } from '../api/types'
import { createSession } from './session'

const out: Session = { signed_in: false, posts: [], allowed: ['session.open'], public_map: false }
const post: HeldPost = { id: 1, role: 'grid_worker' }
const person = (id: string) => ({ id, name: id, login: id })
const as = (id: string, part: Partial<Session> = {}): Session => ({
  ...out,
  signed_in: true,
  person: person(id),
  posts: [post],
  allowed: ['report.view'],
  ...part,
})

type Reply = Session | number | { code: string; status: number }

/** A service whose answers the test gives, one after the other; the last stays. */
function given(...replies: Reply[]) {
  const calls: string[] = []
  const waiting: (() => void)[] = []
  let held = false
  let refused = () => {}
  async function reply(method: string) {
    calls.push(method)
    const next = replies.length > 1 ? replies.shift()! : replies[0]!
    if (held) await new Promise<void>(go => waiting.push(go))
    if (typeof next === 'number') throw new TypeError('no network')
    if ('status' in next) return { error: { code: next.code }, response: new Response(null, { status: next.status }) }
    return { data: next, response: new Response(null, { status: 200 }) }
  }
  const client = {
    GET: () => reply('GET'),
    POST: () => reply('POST'),
    DELETE: () => {
      calls.push('DELETE')
      return Promise.resolve({ response: new Response(null, { status: 204 }) })
    },
  } as unknown as CityClient
  const session = createSession('haining', r => {
    refused = r
    return client
  })
  return {
    session,
    calls,
    refuse: () => refused(),
    hold: () => {
      held = true
    },
    pass: () => {
      held = false
    },
    release: () => {
      held = false
      for (const go of waiting.splice(0)) go()
    },
  }
}
const settled = () => new Promise(done => setTimeout(done))

describe('the session', () => {
  it('is not known at first, then what the service says', async () => {
    const { session } = given(as('a'))
    expect(session.state.value).toBeUndefined()
    expect(session.can('report.view')).toBe(false)
    await session.check()
    expect(session.signedIn.value).toBe(true)
    expect(session.can('report.view')).toBe(true)
    expect(session.can('report.position')).toBe(false)
    expect(session.reader.value).toBe(0)
  })

  it('signs in and out, and each time somebody else is here', async () => {
    const { session, calls } = given(out, as('a'), out)
    await session.check()
    await session.signIn({ login: 'a', password: 'b' })
    expect([session.reader.value, session.signedIn.value]).toEqual([1, true])
    await session.signOut()
    expect([session.reader.value, session.signedIn.value, session.absence.value]).toEqual([2, false, 'left'])
    expect(session.can('report.view')).toBe(false)
    await settled()
    expect(calls).toEqual(['GET', 'POST', 'DELETE', 'GET'])
    expect(session.can('report.view')).toBe(false)
  })

  it('tells why it did not sign in, and stays as it was', async () => {
    const { session } = given(out, { code: 'wrong_credentials', status: 401 })
    await session.check()
    const failed = await session.signIn({ login: 'a', password: 'b' }).catch((e: unknown) => e)
    expect(failed).toBeInstanceOf(ApiError)
    expect((failed as ApiError).problem.code).toBe('wrong_credentials')
    expect([session.reader.value, session.signedIn.value]).toEqual([0, false])
  })

  it('ends when the service refuses and no longer knows the person', async () => {
    const { session, refuse } = given(as('a'), out)
    await session.check()
    refuse()
    await settled()
    expect([session.reader.value, session.signedIn.value, session.absence.value]).toEqual([1, false, 'ended'])
  })

  it('is another where another person signed in beside', async () => {
    const { session } = given(as('a'), as('b'))
    await session.check()
    await session.check()
    expect(session.reader.value).toBe(1)
  })

  it.each<[string, Partial<Session>, number]>([
    ['nothing', {}, 0],
    ['another time at which it ends', { ends: '2026-11-26T10:00:00Z' }, 0],
    ['a post that ended', { posts: [] }, 1],
    ['another right', { allowed: ['report.view', 'report.file'] }, 1],
    ['a password to change', { must_change_password: true }, 1],
  ])('keeps the person but tells of other rights: %s', async (_, part, rights) => {
    const { session } = given(as('a'), as('a', part))
    await session.check()
    await session.check()
    expect([session.reader.value, session.rights.value]).toEqual([0, rights])
  })

  it('stays as it was while the service cannot be reached', async () => {
    const { session } = given(as('a'), 0, as('a'))
    await session.check()
    await session.check()
    expect(session.signedIn.value).toBe(true)
    expect(session.error.value?.offline).toBe(true)
    await session.check()
    expect(session.error.value).toBeUndefined()
  })

  it('asks once for many, and once more for those that came meanwhile', async () => {
    const { session, calls, hold, release } = given(as('a'), out)
    hold()
    const asked = [session.check(), session.check(), session.check()]
    release()
    await Promise.all(asked)
    expect(calls).toEqual(['GET', 'GET'])
    expect(session.signedIn.value).toBe(false)
  })

  it('takes no answer from before somebody signed in', async () => {
    const { session, hold, pass, release } = given(out, out, as('a'))
    await session.check()
    hold()
    const old = session.check()
    pass()
    await session.signIn({ login: 'a', password: 'b' })
    release()
    await old
    expect(session.signedIn.value).toBe(true)
  })
})
