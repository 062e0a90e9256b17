import { describe, expect, it } from 'vitest'
import { ApiError } from '../shared/api/client'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { freshDraft, missing, secretOf, toReport, within } from './draft'
import { problemWords } from './problem'

const contact = { channel: 'sms', to: ' 138 0013 8000 ', code: ' 123456 ', name: '' } as const

describe('a resident’s draft', () => {
  it('goes on only with a place, and with an item', () => {
    const draft = freshDraft()
    expect(missing(draft, 'place')).toBe('place')
    expect(missing({ ...draft, place: '  ' }, 'place')).toBe('place')
    expect(missing({ ...draft, place: '人民路' }, 'place')).toBeNull()
    expect(missing({ ...draft, spot: { lon: 0, lat: 0, source: 'map' } }, 'place')).toBeNull()
    expect(missing(draft, 'item')).toBe('item')
    expect(missing({ ...draft, item: '01' }, 'item')).toBeNull()
    expect(missing(draft, 'text')).toBeNull()
  })

  it('sends what was told and nothing that was not', () => {
    const draft = { ...freshDraft(), item: '01' }
    expect(toReport({ ...draft, place: ' 人民路 ' }, contact, 'zh')).toEqual({
      id: draft.id,
      channel: 'sms',
      to: '138 0013 8000',
      code: '123456',
      item: '01',
      language: 'zh',
      address: '人民路',
    })
    const spot = { lon: 120.69, lat: 30.53, accuracyM: 12, source: 'gps' as const }
    const sent = toReport({ ...draft, spot, text: '不亮' }, { ...contact, name: '李' }, 'en')
    expect(sent).toMatchObject({
      lon: 120.69,
      lat: 30.53,
      accuracy_m: 12,
      position_source: 'gps',
      text: '不亮',
      name: '李',
    })
    expect(toReport({ ...draft, spot: { ...spot, accuracyM: undefined } }, contact, 'zh')).not.toHaveProperty(
      'accuracy_m',
    )
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

describe('problems', () => {
  const known = Object.keys(zh.resident.problem)
  it('have words in both languages', () => {
    expect(Object.keys(en.resident.problem)).toEqual(known)
    for (const code of [...known, 'internal', 'bad_uuid', 'too_many_requests', '']) {
      const { key } = problemWords(new ApiError(400, { code }))
      expect(known).toContain(key.split('.').at(-1))
    }
  })
  it('tell when to try again, in whole minutes', () => {
    expect(problemWords(new ApiError(429, { code: 'too_many_codes', retry_after: 61 }))).toEqual({
      key: 'resident.problem.too_many_codes',
      values: { minutes: 2 },
    })
  })
  it('send back to the place where that is wrong', () => {
    expect(problemWords(new ApiError(400, { code: 'swapped', field: 'lon' })).key).toBe('resident.problem.place')
    expect(problemWords(new ApiError(0, {})).key).toBe('resident.problem.offline')
  })
})
