import { describe, expect, it } from 'vitest'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { type Draft, fresh, freshDraft, missing, readDraft, secretOf, started, toReport, waitS, within } from './draft'
import { problemWords, type Trouble } from './problem'

const told = (more: Partial<Draft> = {}): Draft => ({
  ...freshDraft(),
  item: '01',
  contact: { channel: 'sms', to: ' 138 0013 8000 ', name: '' },
  ...more,
})

describe('a resident’s draft', () => {
  it('goes on only with a place, and with an item', () => {
    const draft = freshDraft()
    expect(missing(draft, 'photo')).toBeNull()
    expect(missing(draft, 'place')).toBe('place')
    expect(missing({ ...draft, place: '  ' }, 'place')).toBe('place')
    expect(missing({ ...draft, place: '人民路' }, 'place')).toBeNull()
    expect(missing({ ...draft, spot: { lon: 0, lat: 0, source: 'map' } }, 'place')).toBeNull()
    expect(missing(draft, 'item')).toBe('item')
    expect(missing({ ...draft, item: '01' }, 'item')).toBeNull()
  })

  it('is worth keeping once somebody has written or shown something', () => {
    expect(started(freshDraft())).toBe(false)
    expect(started({ ...freshDraft(), place: '长安镇褚石村 ' }, '长安镇褚石村 ')).toBe(false)
    expect(started({ ...freshDraft(), place: '长安镇褚石村 桥边' }, '长安镇褚石村 ')).toBe(true)
    expect(started(told())).toBe(true)
  })

  it('sends what was told and nothing that was not', () => {
    const draft = told({ place: ' 人民路 ' })
    expect(toReport(draft, ' 123456 ', 'zh')).toEqual({
      id: draft.id,
      channel: 'sms',
      to: '138 0013 8000',
      code: '123456',
      item: '01',
      language: 'zh',
      address: '人民路',
    })
    const spot = { lon: 120.69, lat: 30.53, accuracyM: 12, source: 'gps' as const }
    const photo = { id: 'p', type: 'image/jpeg', size: 9, original: 'ff', at: 1 }
    const contact = { ...draft.contact, name: '李' }
    expect(toReport(told({ spot, text: '不亮', photos: [photo], contact }), '1', 'en')).toMatchObject({
      lon: 120.69,
      lat: 30.53,
      accuracy_m: 12,
      position_source: 'gps',
      text: '不亮',
      name: '李',
      photos: [{ id: 'p', bytes: 9 }],
    })
    expect(toReport(told({ spot: { ...spot, accuracyM: undefined } }), '1', 'zh')).not.toHaveProperty('accuracy_m')
  })

  it('knows what lies in the city', () => {
    const box = [120, 30, 121, 31]
    expect(within(box, { lon: 120, lat: 31 })).toBe(true)
    expect(within(box, { lon: 119.9, lat: 30.5 })).toBe(false)
    expect(within(undefined, { lon: 0, lat: 0 })).toBe(true)
  })

  it('takes a secret only where it is whole', () => {
    const secret = `${'a'.repeat(40)}-_9`
    expect(secretOf(`#${secret}`)).toBe(secret)
    for (const bad of ['', '#', `#${secret}x`, `#${secret.slice(1)}`, `#${secret.slice(1)}/`])
      expect(secretOf(bad)).toBeNull()
  })
})

describe('a draft that was kept', () => {
  it('is read as it was written', () => {
    const draft = told({
      step: 'contact',
      photos: [{ id: 'p', type: 'image/jpeg', size: 9, original: 'ff', at: 1 }],
      spot: { lon: 120.69, lat: 30.53, accuracyM: 12, source: 'gps' },
      asked: { to: '138', at: 5, againS: 60, ageS: 600 },
      told: { num: 7, secret: 's', left: ['p'], lost: 0 },
    })
    expect(readDraft(structuredClone(draft))).toEqual(draft)
  })

  it('of the first version, which had no format, goes on', () => {
    const { id } = freshDraft()
    const old = { id, spot: { lon: 1, lat: 2, source: 'gps' }, place: '人民路', item: '03', text: '不亮' }
    expect(readDraft(old)).toMatchObject({ ...old, photos: [], step: 'photo', asked: null, told: null })
  })

  it('of a version to come is set aside, and what is none is no draft', () => {
    expect(readDraft({ ...freshDraft(), format: 3 })).toBeNull()
    for (const none of [null, 1, 'x', [], {}, { id: 3 }, { id: '../x' }]) expect(readDraft(none)).toBeNull()
  })

  it('leaves out what is not as it should be', () => {
    const spoilt = {
      ...freshDraft(),
      step: 'x',
      photos: [{ id: 'p' }, 3],
      spot: { lon: 'a' },
      text: 7,
      asked: {},
      told: [],
    }
    expect(readDraft(spoilt)).toMatchObject({
      step: 'photo',
      photos: [],
      spot: null,
      text: '',
      asked: null,
      told: null,
    })
  })
})

describe('a code that was asked for', () => {
  const asked = { to: '138', at: 1_000_000, againS: 60, ageS: 600 }
  it('is waited for over a page that is loaded anew, and no longer than the service says', () => {
    expect(waitS(asked, asked.at)).toBe(60)
    expect(waitS(asked, asked.at + 59_500)).toBe(1)
    expect(waitS(asked, asked.at + 61_000)).toBe(0)
    expect(waitS(asked, asked.at - 86_400_000)).toBe(60) // the clock was set back
    expect(waitS(null, 0)).toBe(0)
  })
  it('may be good for its time, and for its number alone', () => {
    expect(fresh(asked, ' 138 ', asked.at + 599_000)).toBe(true)
    expect(fresh(asked, '138', asked.at + 600_000)).toBe(false)
    expect(fresh(asked, '139', asked.at)).toBe(false)
  })
})

describe('problems', () => {
  const problem = (status: number, code: string, more: { field?: string; afterMs?: number } = {}): Trouble => ({
    is: 'problem',
    status,
    code,
    detail: '',
    body: {},
    afterMs: null,
    ...more,
  })
  const known = Object.keys(zh.resident.problem)
  it('have words in both languages', () => {
    expect(Object.keys(en.resident.problem)).toEqual(known)
    for (const code of [...known, 'internal', 'bad_uuid', 'too_many_requests', 'sign_in', '']) {
      const { key } = problemWords(problem(400, code))
      expect(known).toContain(key.split('.').at(-1))
    }
  })
  it('tell when to try again, in whole minutes', () => {
    expect(problemWords(problem(429, 'too_many_codes', { afterMs: 61_000 }))).toEqual({
      key: 'resident.problem.too_many_codes',
      values: { minutes: 2 },
    })
  })
  it('send back to what is wrong', () => {
    expect(problemWords(problem(400, 'swapped', { field: 'lon' })).key).toBe('resident.problem.place')
    expect(problemWords(problem(413, 'too_large', { field: 'photos[0]' })).key).toBe('resident.problem.photos')
    expect(problemWords(problem(409, 'id_taken', { field: 'photos' })).key).toBe('resident.problem.photos')
    expect(problemWords(problem(409, 'id_taken', { field: 'id' })).key).toBe('resident.problem.id_taken')
    expect(problemWords(problem(401, 'sign_in')).key).toBe('resident.problem.closed')
    expect(problemWords({ is: 'none' }).key).toBe('resident.problem.offline')
  })
})
