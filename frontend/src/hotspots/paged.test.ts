import { describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { ApiError } from '../shared/api/client'
import { type Page, usePaged } from './paged'

type Row = { id: number }
/** A service with rows n, n − 1 … 1. */
function service(n: number) {
  const asked: { q: string; limit: number; before?: number }[] = []
  const it = {
    newest: n,
    fails: false,
    asked,
    load(q: string, page: { limit: number; before?: number }): Promise<Page<Row>> {
      asked.push({ q, ...page })
      if (it.fails) return Promise.reject(new ApiError(500, {}))
      const from = page.before === undefined ? it.newest : page.before - 1
      const rows = Array.from({ length: Math.min(page.limit, from) }, (_, i) => ({ id: from - i }))
      const last = rows.at(-1)
      return Promise.resolve({ rows, ...(last && last.id > 1 ? { next: last.id } : {}) })
    },
  }
  return it
}
const settled = async () => {
  await nextTick()
  await new Promise(r => setTimeout(r))
}
function listed(n: number) {
  const of = service(n)
  const q = ref<string | null>('open')
  const list = effectScope().run(() => usePaged(() => q.value, of.load))!
  return { of, q, list, ids: () => list.rows.value.map(r => r.id) }
}

describe('a list by pages', () => {
  it('goes on where it ended, to its end', async () => {
    const { list, ids, of } = listed(120)
    await settled()
    expect(ids().length).toBe(50)
    await list.more()
    await list.more()
    expect(ids()).toEqual(Array.from({ length: 120 }, (_, i) => 120 - i))
    expect(list.hasMore.value).toBe(false)
    await list.more()
    expect(of.asked.length).toBe(3)
  })

  it('comes anew as long as it was, with what is new, and nothing twice', async () => {
    const { list, ids, of } = listed(120)
    await settled()
    await list.more()
    of.newest = 122
    list.reload()
    await settled()
    expect(ids()).toEqual(Array.from({ length: 100 }, (_, i) => 122 - i))
    await list.more()
    expect(ids()).toEqual(Array.from({ length: 122 }, (_, i) => 122 - i))
  })

  it('begins with one page when another thing is asked for', async () => {
    const { list, q, of } = listed(120)
    await settled()
    await list.more()
    q.value = 'all'
    await settled()
    expect(of.asked.at(-1)).toEqual({ q: 'all', limit: 50 })
  })

  it('keeps what there is when the next page fails, and can ask again', async () => {
    const { list, ids, of } = listed(60)
    await settled()
    of.fails = true
    await list.more()
    expect(list.moreFailed.value).toBe(true)
    expect(ids().length).toBe(50)
    of.fails = false
    await list.more()
    expect(list.moreFailed.value).toBe(false)
    expect(ids().length).toBe(60)
  })

  it('does not take a page of the list before', async () => {
    const { list, ids, of } = listed(60)
    await settled()
    let late: (page: Page<Row>) => void = () => {}
    const slow = vi.spyOn(of, 'load')
    const page = new Promise<Page<Row>>(r => {
      late = r
    })
    slow.mockReturnValueOnce(page)
    const held = effectScope().run(() =>
      usePaged(
        () => 'open',
        (q, p) => of.load(q, p),
      ),
    )!
    late({ rows: [{ id: 60 }], next: 60 })
    await settled()
    let later: (page: Page<Row>) => void = () => {}
    slow.mockReturnValueOnce(
      new Promise<Page<Row>>(r => {
        later = r
      }),
    )
    const more = held.more()
    held.reload()
    await settled()
    later({ rows: [{ id: 1 }] })
    await more
    expect(held.rows.value.map(r => r.id)).toEqual(Array.from({ length: 50 }, (_, i) => 60 - i))
    expect(ids().length).toBe(50)
    expect(list.loaded.value).toBe(true)
  })
})
