import { describe, expect, it } from 'vitest'
import { effectScope, ref } from 'vue'
import { createBell } from './bell'
import type { SessionStore } from './session'

/** A service that has notices by number, the newest first, thirty a page. */
function given(newest: number) {
  const state = { newest, unread: newest }
  const client = {
    GET: async (_: string, { params }: { params: { query: { limit: number; before?: number } } }) => {
      const from = (params.query.before ?? state.newest + 1) - 1
      const ids = Array.from({ length: params.query.limit }, (_, i) => from - i).filter(id => id > 0)
      const next = ids.at(-1)! > 1 ? { next: ids.at(-1) } : {}
      return {
        data: { notices: ids.map(id => ({ id, read: state.unread === 0 })), unread: state.unread, ...next },
        response: new Response(),
      }
    },
  }
  const session = { code: 'c', client, signedIn: ref(true), held: ref(false), reader: ref('r'), can: () => false }
  const scope = effectScope()
  const bell = scope.run(() => createBell(session as unknown as SessionStore, () => true))!
  const ids = () => bell.notices.value?.map(n => n.id as unknown as number) ?? []
  return { state, bell, ids, end: () => scope.stop() }
}
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('who has read on in the bell', () => {
  it('keeps what is there when something new comes, and goes on where it ended', async () => {
    const { state, bell, ids, end } = given(100)
    await bell.load()
    await bell.more()
    expect(ids()).toEqual(down(100, 41))
    state.newest = 103
    await bell.load()
    expect(ids()).toEqual(down(103, 41))
    await bell.more()
    expect(ids()).toEqual(down(103, 11))
    end()
  })

  it('begins anew where so much came that it does not follow', async () => {
    const { state, bell, ids, end } = given(100)
    await bell.load()
    await bell.more()
    state.newest = 140
    await bell.load()
    expect(ids()).toEqual(down(140, 111))
    await bell.more()
    expect(ids()).toEqual(down(140, 81))
    end()
  })

  it('sees what was read elsewhere as read', async () => {
    const { state, bell, end } = given(60)
    await bell.load()
    await bell.more()
    state.unread = 0
    await bell.load()
    expect(bell.notices.value?.filter(n => !n.read)).toEqual([])
    end()
  })
})
