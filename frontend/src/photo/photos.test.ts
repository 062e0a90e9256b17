import { describe, expect, it } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { faultOf, type Lane, maxBytes, percent, refusalOf, usePhotos } from './photos'
import type { Send } from './tus'

const jpeg = (n: number, name = 'a.jpg') => new File([new Uint8Array(n)], name, { type: 'image/jpeg' })

function setup(send: Send, looks: Lane['look'] = async () => ({ state: 'ready' })) {
  const lane: Lane = { uploads: '/u', look: looks, thumbnail: id => `/t/${id}` }
  const scope = effectScope()
  const photos = scope.run(() => usePhotos({ lane: () => lane, max: 3, send }))!
  return { photos, end: () => scope.stop() }
}
/** Takes everything; deletes are counted. */
function taker() {
  const deleted: string[] = []
  const offsets = new Map<string, number>()
  let begun = ''
  const send: Send = async r => {
    if (r.method === 'DELETE') deleted.push(r.url)
    if (r.method === 'POST') begun = `/u/${atob(r.headers['Upload-Metadata']!.split(' ')[1]!)}`
    const url = r.method === 'POST' ? begun : r.url
    if (r.method === 'PATCH') offsets.set(url, Number(r.headers['Upload-Offset']) + r.body!.size)
    return { status: 200, header: () => String(offsets.get(url) ?? 0) }
  }
  return { send, deleted }
}
const until = async (ask: () => boolean) => {
  for (let i = 0; i < 1000 && !ask(); i++) await new Promise(done => setTimeout(done))
  expect(ask()).toBe(true)
}

describe('photos', () => {
  it('come one after the other and are ready with a small picture', async () => {
    const { photos, end } = setup(taker().send)
    photos.add([jpeg(3), jpeg(4)])
    expect(photos.busy.value).toBe(true)
    await until(() => photos.ready.value.length === 2)
    expect(photos.list.map(i => i.picture)).toEqual(photos.ready.value.map(id => `/t/${id}`))
    expect(photos.busy.value).toBe(false)
    end()
  })

  it('are refused before they are sent where it is plain, and by what the service says', async () => {
    const { photos, end } = setup(taker().send, async () => ({ state: 'refused', refusal: 'damaged' }))
    photos.add([new File(['x'], 'a.txt', { type: 'text/plain' }), jpeg(2)])
    expect(photos.list[0]!.code).toBe('not_a_photo')
    await until(() => photos.list[1]!.state === 'refused')
    expect(photos.list[1]!.code).toBe('damaged')
    expect(photos.ready.value).toEqual([])
    end()
  })

  it('are no more than may be', async () => {
    const { photos, end } = setup(taker().send)
    photos.add([1, 2, 3, 4, 5].map(n => jpeg(n)))
    expect(photos.list).toHaveLength(3)
    end()
  })

  it('wait where the line is broken, and go on at once when asked to', async () => {
    const whole = taker()
    let broken = true
    const { photos, end } = setup(async (...r) => (broken ? { status: 0, header: () => null } : whole.send(...r)))
    photos.add([jpeg(9)])
    await until(() => photos.list[0]!.state === 'broken')
    expect(photos.busy.value).toBe(true)
    broken = false
    photos.retry(photos.list[0]!)
    await until(() => photos.ready.value.length === 1)
    end()
  })

  it('that are taken out are removed there too; those that are used are not', async () => {
    const { send, deleted } = taker()
    const { photos, end } = setup(send)
    photos.add([jpeg(1), jpeg(2)])
    await until(() => photos.ready.value.length === 2)
    const [first] = photos.list
    const id = first!.id
    photos.remove(first!)
    await nextTick()
    expect(deleted).toEqual([`/u/${id}`])
    photos.clear()
    expect(photos.list).toEqual([])
    expect(deleted).toHaveLength(1)
    end()
  })

  it('that were there before the page was loaded anew are asked for', async () => {
    const { photos, end } = setup(taker().send)
    photos.adopt(['x', 'x', 'y'])
    await until(() => photos.ready.value.length === 2)
    expect(photos.ready.value).toEqual(['x', 'y'])
    end()
  })

  it.each([
    [{ size: maxBytes, type: 'image/jpeg' }, null],
    [{ size: maxBytes + 1, type: 'image/jpeg' }, 'too_large'],
    [{ size: 0, type: 'image/jpeg' }, 'not_a_photo'],
    [{ size: 5, type: '' }, null], // some systems know no type for HEIC
    [{ size: 5, type: 'video/mp4' }, 'not_a_photo'],
  ])('%o: %s', (file, want) => expect(faultOf(file)).toBe(want))

  it('are never said to be there before they are', () => {
    expect(percent({ sent: 999, size: 1000 })).toBe(99)
    expect(percent({ sent: 1000, size: 1000 })).toBe(99)
    expect(percent({ sent: 0, size: 0 })).toBe(0)
    expect(refusalOf('damaged')).toBe('damaged')
    expect(refusalOf('whatever')).toBe('other')
  })
})
