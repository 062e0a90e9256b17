import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commandsOf, type Draft, freshDraft, started } from '../report/draft'
import type { Command } from './command'
import type { Wire } from './exchange'
import { FakeService, type Fault } from './fakeservice'
import type { ActBody, PhotoBody, ReportBody, ReportReceipt } from './kinds'
import { again, drain, pauseMs } from './sender'
import { destroyStore, openStore, type Store, unsentOfOthers } from './store'
import { linesOf, withNeeds } from './view'

let service: FakeService
let store: Store
let wire: Wire

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  service = new FakeService()
  store = await openStore('haining', 'p1')
  wire = { fetch: service.fetch, now: () => service.now, api: '/haining/v1' }
})
afterEach(() => store.close())

const picture = (size: number, seed = 1) =>
  new Blob([Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) % 251)], { type: 'image/jpeg' })

/** A report with so many photos, as the app keeps it. */
async function take(photos = 0, item = '12', at = service.now): Promise<{ id: string; photos: string[] }> {
  const id = v7()
  const files = new Map(Array.from({ length: photos }, (_, i) => [v7(), picture(1000 + i, i)] as const))
  const ids = [...files.keys()]
  const body: ReportBody = {
    report: { source: 'phone', item, kind: 'problem', lon: 120.69, lat: 30.53, accuracy_m: 8 },
    capturedAt: at,
    photos: ids,
  }
  await store.putAll(
    [
      ...ids.map(p => ({
        id: p,
        kind: 'photo' as const,
        body: { type: 'image/jpeg', size: files.get(p)!.size, original: '00' } satisfies PhotoBody,
      })),
      { id, kind: 'report' as const, body, needs: ids },
    ],
    files,
    at,
  )
  return { id, photos: ids }
}
const states = async () => (await store.rows()).map(r => r.state)
const report = async (id: string) => (await store.command<ReportBody>(id)) as Command<ReportBody>

describe('sending', () => {
  test('what was kept comes in the order in which it was done, once each, and its receipt stays', async () => {
    const a = await take(2)
    const b = await take()
    expect(await drain(store, wire)).toEqual({ halt: 'done', nextAt: null })
    expect(service.asked.filter(a => /POST/.test(a))).toEqual([
      'POST /uploads',
      'POST /uploads',
      'POST /reports',
      'POST /reports',
    ])
    expect([...service.reports.keys()]).toEqual([a.id, b.id])
    expect(JSON.parse(service.reports.get(a.id)!.body).photos).toEqual(a.photos)
    const receipt = (await report(a.id)).receipt as ReportReceipt
    expect(receipt).toMatchObject({ num: 1, grid: { code: '330481103200001' }, without: 0 })
    expect(await states()).toEqual(['sent', 'sent', 'sent', 'sent'])
  })

  test('with a photo goes what the picture was that the camera took', async () => {
    const id = v7()
    const original = '0a'.repeat(32)
    await store.put({ id, kind: 'photo', body: { type: 'image/jpeg', size: 9, original } }, new Map([[id, picture(9)]]))
    await drain(store, wire)
    expect(service.taken.get(id)).toBe(original)
  })

  test('photos leave the phone only once the service has them, and come whole', async () => {
    const { photos } = await take(1)
    service.faults = [null, 'lost']
    expect((await drain(store, wire)).halt).toBe('line')
    expect((await store.blob(photos[0]!, 'image/jpeg'))?.size).toBe(1000)
    await drain(store, wire)
    expect(service.photos.get(photos[0]!)!.bytes).toEqual(new Uint8Array(await picture(1000, 0).arrayBuffer()))
    expect(await store.blob(photos[0]!, 'image/jpeg')).toBeNull()
  })

  test('an upload that breaks in the middle goes on where it was', async () => {
    const { id, photos } = await take(1)
    service.cut = 400
    expect((await drain(store, wire)).halt).toBe('line')
    expect(service.photos.get(photos[0]!)!.at).toBe(400)
    await drain(store, wire)
    expect(service.photos.get(photos[0]!)!.bytes).toEqual(new Uint8Array(await picture(1000, 0).arrayBuffer()))
    expect(service.reports.has(id)).toBe(true)
  })

  test('what only the phone knows goes with it, put right by its clock once; where the service says another grid, both stay', async () => {
    const { id } = await take()
    const c = (await report(id)) as Command<ReportBody>
    const other = v7()
    const body: ReportBody = {
      ...c.body,
      device: { positionAt: service.now - 5_000, plan: 'v11', grid: '330481103200002', sure: true },
    }
    await store.put({ id: other, kind: 'report', body })
    service.behindMs = 3 * 3_600_000 // the phone's clock is three hours ahead
    await drain(store, wire)
    const told = JSON.parse(service.reports.get(other)!.body)
    expect(told.device).toMatchObject({ plan: 'v11', grid: '330481103200002', sure: true })
    const ahead = told.device.clock_ahead_ms
    expect(Math.abs(ahead - 3 * 3_600_000)).toBeLessThan(2_000)
    expect(Date.parse(told.captured_at) - Date.parse(told.device.position_at)).toBe(5_000)
    expect(Date.parse(told.device.position_at)).toBe(service.now - 5_000 - ahead)
    expect((await report(other)).receipt).toMatchObject({
      grid: { code: '330481103200001' },
      phoneGrid: '330481103200002',
    })
    expect(JSON.parse(service.reports.get(id)!.body).device).toBeUndefined() // kept by an older app
  })

  test('somebody who signs in while it is on its way does not tell it as theirs', async () => {
    const { id } = await take(1)
    const { fetch } = wire
    wire.fetch = async (url, init) => {
      const answer = await fetch(url, init)
      service.person = 'p2' // in another tab, since the first question
      return answer
    }
    expect((await drain(store, wire)).halt).toBe('signIn')
    expect([service.photos.size, service.reports.size]).toEqual([0, 0])
    expect(await states()).toEqual(['waiting', 'waiting'])
    service.person = 'p1'
    wire.fetch = fetch
    await drain(store, wire)
    expect([...service.reports.keys()]).toEqual([id])
  })

  test.each<Fault>(['lost', 'unheard', 'portal', 'stranger', 'redirect'])(
    'where %s nothing counts as sent, and nothing twice',
    async fault => {
      const { id } = await take()
      service.faults = [null, fault]
      expect((await drain(store, wire)).halt).toBe('line')
      expect(await states()).toEqual(['waiting'])
      await drain(store, wire)
      expect(await states()).toEqual(['sent'])
      expect(service.reports.size).toBe(1)
      expect(service.reports.get(id)!.times).toBe(fault === 'unheard' ? 2 : 1)
    },
  )

  test.each<Fault>(['portal', 'stranger'])('a %s that answers the first question is no service', async fault => {
    await take()
    service.faults = [fault]
    expect((await drain(store, wire)).halt).toBe('line')
    expect(service.asked).toEqual(['GET /session'])
  })

  test('429 waits as long as was said, with everything', async () => {
    await take()
    await take()
    service.faults = [null, 'busy']
    expect(await drain(store, wire)).toEqual({ halt: 'later', nextAt: service.now + 7000 })
    expect(service.reports.size).toBe(0)
    service.now += 7000
    await drain(store, wire)
    expect(await states()).toEqual(['sent', 'sent'])
  })

  test('a fault of the service with one command holds up no other', async () => {
    const a = await take()
    const b = await take()
    service.faults = [null, 'broken']
    expect(await drain(store, wire)).toEqual({ halt: 'later', nextAt: service.now + pauseMs(1) })
    expect([...service.reports.keys()]).toEqual([b.id])
    service.now += pauseMs(1)
    await drain(store, wire)
    expect([...service.reports.keys()]).toEqual([b.id, a.id])
  })

  test('what is refused stays, with the reason, until somebody has looked', async () => {
    service.refused.set('99', { status: 400, code: 'unknown_item' })
    const bad = await take(1, '99')
    const good = await take()
    expect((await drain(store, wire)).halt).toBe('done')
    expect((await report(bad.id)).refusal).toMatchObject({ code: 'unknown_item', status: 400 })
    expect(service.reports.has(good.id)).toBe(true)
    service.refused.clear()
    await again(store, bad.id)
    await drain(store, wire)
    expect(service.reports.get(bad.id)!.times).toBe(1)
  })

  test('a report whose photo is refused goes without it and says so', async () => {
    const { id, photos } = await take(2)
    await store.dropBlobs([photos[0]!]) // the disk has lost it
    await drain(store, wire)
    expect(JSON.parse(service.reports.get(id)!.body).photos).toEqual([photos[1]])
    expect(((await report(id)).receipt as ReportReceipt).without).toBe(1)
    expect((await store.command(photos[0]!))!.refusal).toMatchObject({ code: 'file_missing' })
  })

  /** A report in which somebody spoke, as the form keeps it: what was said lies on the phone already. */
  async function say(size = 900): Promise<Draft> {
    const d: Draft = { ...freshDraft(service.now), item: '12', place: '桥头' }
    d.voice = { id: v7(), type: 'audio/webm', size, ms: 4200, at: service.now }
    await store.putBlob(d.voice.id, picture(size, 5))
    await store.putDraft(d.id, d)
    await store.putAll(commandsOf(d, null, service.now), new Map(), service.now, d.id)
    return d
  }

  test('what was said goes before its report, as what it is, and leaves the phone when the service has it', async () => {
    const d = await say()
    service.cut = 300
    expect((await drain(store, wire)).halt).toBe('line')
    expect((await store.blob(d.voice!.id, 'audio/webm'))?.size).toBe(900)
    expect((await linesOf(store)).map(l => [l.kind, l.voice])).toEqual([['report', true]])
    await drain(store, wire)
    expect(service.photos.get(d.voice!.id)).toMatchObject({ kind: 'voice', at: 900 })
    expect(service.asked).toContain(`GET /voices/${d.voice!.id}`)
    expect(JSON.parse(service.reports.get(d.id)!.body)).toMatchObject({ voice: d.voice!.id, item: '12' })
    expect(JSON.parse(service.reports.get(d.id)!.body).photos).toBeUndefined()
    expect((await report(d.id)).receipt).not.toHaveProperty('withoutVoice')
    expect(await store.blob(d.voice!.id, 'audio/webm')).toBeNull()
    expect(await store.drafts()).toEqual([])
  })

  test('a report whose voice note is refused goes without it and says so', async () => {
    service.unheard = 'damaged'
    const d = await say()
    await drain(store, wire)
    expect(JSON.parse(service.reports.get(d.id)!.body).voice).toBeUndefined()
    expect((await report(d.id)).receipt).toMatchObject({ without: 0, withoutVoice: true })
    expect((await store.command(d.voice!.id))!.refusal).toMatchObject({ code: 'damaged' })
    // It stays on the phone, so that whoever spoke can still hear it, until it is thrown away with its line.
    expect(await store.blob(d.voice!.id, 'audio/webm')).not.toBeNull()
    await store.discard(await withNeeds(store, d.id))
    expect(await store.blob(d.voice!.id, 'audio/webm')).toBeNull()
  })

  test('what was said for a draft is no stray, and goes once no draft has it', async () => {
    const d = freshDraft(service.now)
    d.voice = { id: v7(), type: 'audio/webm', size: 3, ms: 900, at: 0 }
    expect(started(d)).toBe(true)
    await store.putBlob(d.voice.id, picture(3))
    await store.putDraft(d.id, d)
    await store.sweep(Date.now() + 3 * 86_400_000)
    expect(await store.blob(d.voice.id, d.voice.type)).not.toBeNull()
    await store.putDraft(d.id, { ...d, voice: null })
    await store.sweep(Date.now() + 3 * 86_400_000)
    expect(await store.blob(d.voice.id, d.voice.type)).toBeNull()
  })

  test('an act without its evidence is not sent', async () => {
    const evidence = v7()
    const id = v7()
    const body: ActBody = { ref: '7', item: '12', act: { act: 'settle', version: 3 }, evidence: [evidence] }
    await store.putAll([
      { id: evidence, kind: 'photo', body: { type: 'image/jpeg', size: 3, original: '' } },
      { id, kind: 'act', body, needs: [evidence] },
    ])
    await drain(store, wire)
    expect((await store.command(id))!.refusal).toMatchObject({ code: 'not_sent' })
    expect(service.acts.size).toBe(0)
  })

  const acted = async (act: ActBody['act'], more: { needs?: string[]; evidence?: string[] } = {}) => {
    const id = v7()
    const body: ActBody = { ref: '7', item: '12', act, evidence: more.evidence ?? [] }
    await store.put({ id, kind: 'act', body, needs: more.needs ?? more.evidence ?? [] }, undefined, service.now)
    return id
  }

  test('of two the slower is told field by field what the other did, and what was said is kept with the service', async () => {
    const evidence = v7()
    await store.putAll(
      [{ id: evidence, kind: 'photo', body: { type: 'image/jpeg', size: 3, original: '' } }],
      new Map([[evidence, picture(3)]]),
    )
    const id = await acted({ act: 'verify', version: 2, reason: '已清' }, { evidence: [evidence] })
    const at = new Date(service.now).toISOString()
    await drain(store, wire)
    expect(JSON.parse(service.late.get(id)!)).toEqual({
      act: 'verify',
      version: 2,
      reason: '已清',
      key: id,
      done_at: at,
      keep_late: true,
      evidence: [evidence],
    })
    const c = (await store.command(id))!
    expect(c.state).toBe('conflict')
    expect(c.conflict).toEqual({
      kept: true,
      by: '周队',
      at: '2026-11-27T01:59:00Z',
      fields: [
        { field: 'act', mine: 'verify', theirs: 'send_back' },
        { field: 'reason', mine: '已清', theirs: '还没清' },
        { field: 'photos', mine: '1', theirs: null },
        { field: 'state', mine: null, theirs: 'rework' },
      ],
    })
  })

  test('what the service would not keep stays here alone, and that is said', async () => {
    service.keepsLate = false
    const id = await acted({ act: 'verify', version: 2, reason: '已清' })
    await drain(store, wire)
    expect((await store.command(id))!).toMatchObject({ state: 'conflict', conflict: { kept: false } })
    service.shows = false
    const hidden = await acted({ act: 'verify', version: 2 })
    await drain(store, wire)
    expect((await store.command(hidden))!.state).toBe('refused')
  })

  test('what is kept is kept, though one may not see the case any more; nor is it told again', async () => {
    service.shows = false
    const id = await acted({ act: 'confirm', version: 2, verdict: false, reason: '没有' })
    await drain(store, wire)
    expect((await store.command(id))!.conflict).toEqual({
      kept: true,
      fields: [
        { field: 'act', mine: 'confirm', theirs: null },
        { field: 'verdict', mine: 'no', theirs: null },
        { field: 'reason', mine: '没有', theirs: null },
      ],
    })
    const before = service.asked.length
    await drain(store, wire)
    expect(service.asked.length).toBe(before)
  })

  test.each<Fault>(['lost', 'unheard', 'portal'])(
    'a conflict whose answer is %s is told again under its key',
    async fault => {
      const id = await acted({ act: 'verify', version: 2 })
      service.faults = [null, fault]
      expect((await drain(store, wire)).halt).toBe('line')
      expect(await states()).toEqual(['waiting'])
      service.faults = [null, null, fault] // and once more, before it is seen what the other did
      expect((await drain(store, wire)).halt).toBe('line')
      await drain(store, wire)
      expect((await store.command(id))!.conflict!.kept).toBe(true)
      expect([...service.late.keys()]).toEqual([id])
    },
  )

  test('what was done after something that came too late comes with it', async () => {
    const first = await acted({ act: 'self_settle', version: 2 })
    const then = await acted({ act: 'settle', version: 3, measure: 'cleaned' }, { needs: [first] })
    await drain(store, wire)
    expect((await store.rows()).map(r => r.state)).toEqual(['conflict', 'conflict'])
    expect(JSON.parse(service.late.get(then)!)).toMatchObject({
      acts: ['self_settle', 'settle'],
      version: 2,
      measure: 'cleaned',
    })
    expect(service.acts.size).toBe(0)
  })

  test('what was done after something that was not kept is not told', async () => {
    service.keepsLate = false
    const first = await acted({ act: 'self_settle', version: 2 })
    const then = await acted({ act: 'settle', version: 3 }, { needs: [first] })
    await drain(store, wire)
    expect((await store.command(then))!.refusal).toMatchObject({ code: 'not_sent' })
  })
})

describe('who, and when', () => {
  test('who is signed out sends nothing, and loses nothing', async () => {
    await take(1)
    service.signedIn = false
    expect((await drain(store, wire)).halt).toBe('signIn')
    service.signedIn = true
    expect((await drain(store, wire)).halt).toBe('done')
    expect(service.reports.size).toBe(1)
  })

  test('somebody else sends nothing of it', async () => {
    await take()
    service.person = 'p2'
    expect((await drain(store, wire)).halt).toBe('somebodyElse')
    expect(service.asked).toEqual(['GET /session'])
  })

  test('a clock that is off by hours is put right once, and what is told twice is the same', async () => {
    const { id } = await take()
    service.behindMs = 3 * 3_600_000
    service.faults = [null, 'unheard']
    await drain(store, wire)
    service.behindMs = 0 // the phone has set its clock meanwhile
    await drain(store, wire)
    const told = service.reports.get(id)!
    expect(told.times).toBe(2)
    const off = service.now - Date.parse(JSON.parse(told.body).captured_at)
    expect(Math.abs(off - 3 * 3_600_000)).toBeLessThan(2000)
  })

  test('a clock that is a little off is left alone', async () => {
    const { id } = await take()
    service.behindMs = 20_000
    await drain(store, wire)
    expect(JSON.parse(service.reports.get(id)!.body).captured_at).toBe(new Date(service.now).toISOString())
  })
})

describe('keeping', () => {
  test('nothing that a person wrote stands in the clear', async () => {
    const id = v7()
    const body: ActBody = {
      ref: '7',
      item: '12',
      act: { act: 'verify', version: 3, reason: '张三在 3 幢' },
      evidence: [],
    }
    await store.put({ id, kind: 'act', body })
    await store.putDraft(id, { text: '张三在 3 幢' })
    const raw = JSON.stringify(await dump(), (_, v) => (v instanceof ArrayBuffer ? new TextDecoder().decode(v) : v))
    expect(raw).toContain(id)
    expect(raw).not.toContain('张三')
    expect(await store.drafts()).toMatchObject([{ id, value: { text: '张三在 3 幢' } }])
  })

  test('the key cannot be read out', async () => {
    const key = (await dump()).key![0] as CryptoKey
    expect(key.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
  })

  test('another person has another room, whose key does not open this one', async () => {
    const { id } = await take()
    const other = await openStore('haining', 'p2')
    const row = (await store.rows())[0]!
    await expect(other.read(row)).rejects.toThrow()
    expect(await other.command(id)).toBeNull()
    expect(await unsentOfOthers('haining', 'p1')).toBe(0)
    expect(await unsentOfOthers('haining', 'p2')).toBe(1)
    other.close()
  })

  test('what was sealed for one cannot be put in the place of another', async () => {
    await take()
    await take()
    const [a, b] = await store.rows()
    await expect(store.read({ ...a!, sealed: b!.sealed })).rejects.toThrow()
  })

  test('a report is there with its photos or not at all', async () => {
    const photo = v7()
    const id = v7()
    await store.put({ id, kind: 'act', body: {} })
    await expect(
      store.putAll(
        [
          { id: photo, kind: 'photo', body: {} },
          { id, kind: 'report', body: {} }, // an id that is there already
        ],
        new Map([[photo, picture(10)]]),
      ),
    ).rejects.toThrow()
    expect((await store.rows()).map(r => r.id)).toEqual([id])
    expect(await store.blob(photo, 'image/jpeg')).toBeNull()
  })

  test('once it is destroyed nothing is left, and what comes is another', async () => {
    await take(1)
    store.close()
    await destroyStore('haining', 'p1')
    store = await openStore('haining', 'p1')
    expect(await store.rows()).toEqual([])
  })

  test('what is damaged on the disk holds up nothing else', async () => {
    await take()
    const good = await take()
    const [first] = await store.rows()
    const db = await new Promise<IDBDatabase>(done => {
      const r = indexedDB.open('gridgov.field.haining.p1')
      r.onsuccess = () => done(r.result)
    })
    const tx = db.transaction('command', 'readwrite')
    tx.objectStore('command').put({ ...first, sealed: { iv: first!.sealed.iv, data: new ArrayBuffer(40) } })
    await new Promise(done => {
      tx.oncomplete = done
    })
    db.close()
    await drain(store, wire)
    expect([...service.reports.keys()]).toEqual([good.id])
    expect((await store.rows()).map(r => r.state)).toEqual(['refused', 'sent'])
    const lines = await linesOf(store)
    expect(lines.map(l => l.refusal?.code)).toEqual([undefined, 'unreadable'])
    await store.discard(await withNeeds(store, first!.id))
    expect(await states()).toEqual(['sent'])
  })

  test('receipts go after a month, and nothing that waits', async () => {
    const sent = await take()
    await drain(store, wire)
    const waits = await take()
    await store.forgetOld(Date.now() + 31 * 86_400_000)
    expect((await store.rows()).map(r => r.id)).toEqual([waits.id])
    expect(sent.id).not.toBe(waits.id)
  })
})

/** Whatever happens on the way, and whenever the phone goes out, each report is there once and whole. */
describe('lost and found', () => {
  const seeds = process.env.GRIDGOV_SOAK ? 400 : 20
  test.each(Array.from({ length: seeds }, (_, i) => i + 1))('seed %i', async seed => {
    const random = mulberry(seed)
    const made: { id: string; photos: string[] }[] = []
    const kinds: (Fault | null)[] = [
      'lost',
      'unheard',
      'portal',
      'stranger',
      'redirect',
      'broken',
      'busy',
      null,
      null,
      null,
    ]
    for (let round = 0; round < 25; round++) {
      if (round < 12) made.push(await take(Math.floor(random() * 3)))
      service.faults = Array.from({ length: 6 }, () => kinds[Math.floor(random() * kinds.length)]!)
      service.cut = random() < 0.2 ? Math.floor(random() * 900) : null
      // The phone goes out at some write, before or after it.
      let writes = Math.floor(random() * 12)
      const dying: Store = {
        ...store,
        async settle(...args) {
          if (writes-- === 0) {
            if (random() < 0.5) await store.settle(...args)
            throw new Error('out')
          }
          await store.settle(...args)
        },
      }
      await drain(random() < 0.6 ? dying : store, wire).catch(e => expect(String(e)).toContain('out'))
      service.now += 301_000
      if (random() < 0.3) {
        store.close()
        store = await openStore('haining', 'p1')
      }
    }
    service.faults = []
    service.cut = null
    for (let i = 0; i < 3; i++) {
      await drain(store, wire)
      service.now += 301_000
    }
    expect([...service.reports.keys()].toSorted()).toEqual(made.map(m => m.id).toSorted())
    for (const m of made) expect(JSON.parse(service.reports.get(m.id)!.body).photos ?? []).toEqual(m.photos)
    expect(new Set(await states())).toEqual(new Set(['sent']))
    expect((await dump()).blob).toEqual([])
  })
})

/** A day without a line, told in one go: what was kept is there, each once. */
test('a day of reports and photos is told without a loss or a double', async () => {
  const [acts, withPhoto] = process.env.GRIDGOV_SOAK ? [500, 200] : [50, 20]
  const random = mulberry(99)
  const made: { id: string; photos: string[] }[] = []
  for (let i = 0; i < acts; i++) made.push(await take(i < withPhoto ? 1 : 0))
  for (let round = 0; round < 4000 && (await states()).some(s => s !== 'sent'); round++) {
    const kinds: (Fault | null)[] = [null, null, null, null, null, null, 'lost', 'unheard', 'portal', 'busy']
    service.faults = Array.from({ length: 30 }, () => kinds[Math.floor(random() * kinds.length)]!)
    await drain(store, wire)
    service.now += 301_000
  }
  expect([...service.reports.keys()].toSorted()).toEqual(made.map(m => m.id).toSorted())
  expect(service.photos.size).toBe(withPhoto)
  for (const m of made) expect(JSON.parse(service.reports.get(m.id)!.body).photos ?? []).toEqual(m.photos)
}, 600_000)

function mulberry(a: number): () => number {
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** All that lies on the disk, as it lies there. */
async function dump(): Promise<Record<string, unknown[]>> {
  const db = await new Promise<IDBDatabase>((done, fail) => {
    const r = indexedDB.open('gridgov.field.haining.p1')
    r.onsuccess = () => done(r.result)
    r.onerror = () => fail(r.error)
  })
  const out: Record<string, unknown[]> = {}
  for (const name of db.objectStoreNames) {
    out[name] = await new Promise(done => {
      const r = db.transaction(name).objectStore(name).getAll()
      r.onsuccess = () => done(r.result)
    })
  }
  db.close()
  return out
}
