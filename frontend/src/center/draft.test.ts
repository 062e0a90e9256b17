import { describe, expect, it } from 'vitest'
import { callerFault, freshCaller, freshDraft, readDraft, toReport } from './draft'

const now = new Date('2026-11-01T02:03:04.567Z')

describe('a draft', () => {
  it('has a UUIDv7 of its own and whole seconds', () => {
    const d = freshDraft(now)
    expect(d.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(d.id).not.toBe(freshDraft(now).id)
    expect(d.capturedAt).toBe('2026-11-01T02:03:04Z')
  })

  it('cannot be sent without a spot or an item', () => {
    expect(toReport({ ...freshDraft(now), item: '04' })).toBeNull()
    expect(toReport({ ...freshDraft(now), lon: 120.6, lat: 30.5 })).toBeNull()
  })

  it('sends the same content each time it is sent', () => {
    const d = { ...freshDraft(now), lon: 120.6, lat: 30.5, item: '04', title: ' 路灯 ', text: '  ' }
    expect(toReport(d)).toEqual({
      id: d.id,
      source: 'web',
      captured_at: '2026-11-01T02:03:04Z',
      lon: 120.6,
      lat: 30.5,
      position_source: 'map',
      item: '04',
      kind: 'problem',
      title: '路灯',
    })
    expect(toReport(d)).toEqual(toReport(d))
  })

  it('is a hotline’s where somebody calls, with what is known of them', () => {
    const d = { ...freshDraft(now), lon: 120.6, lat: 30.5, item: '04' }
    const caller = { on: true, name: ' 王小明 ', phone: '138 0573 1234', email: ' ' }
    expect(toReport(d, caller)).toMatchObject({
      source: 'hotline',
      reporter: { name: '王小明', phone: '138 0573 1234' },
    })
    expect(toReport(d, { ...freshCaller(), on: true })).toMatchObject({ source: 'hotline' })
    expect(toReport(d, { ...freshCaller(), on: true })).not.toHaveProperty('reporter')
    // What was typed before it was switched off goes nowhere.
    expect(toReport(d, { ...caller, on: false })).toEqual(toReport(d))
  })

  it('comes back from storage, and nothing else does', () => {
    const d = { ...freshDraft(now), item: '04' }
    expect(readDraft(JSON.stringify(d))).toEqual(d)
    for (const bad of [null, '', '{', '3', 'null', '{"id":3}', '{"kind":"whatever"}']) expect(readDraft(bad)).toBeNull()
  })
})

describe('a caller', () => {
  const phone = (text: string) => callerFault({ ...freshCaller(), on: true, phone: text })
  const email = (text: string) => callerFault({ ...freshCaller(), on: true, email: text })

  it.each([
    '',
    '110',
    '138 0013 8000',
    '１３８００１３８０００',
    '0573-87001234转12',
    '+1 (202) 555.0123',
    '87001234 ext 5',
  ])('may be reached by %s', text => expect(phone(text)).toBeNull())
  it.each(['12', '一三八', '138+0013', '++138', '1'.repeat(21), '8700123转', '8700123#1#2', '138 call me'])(
    'may not be reached by %s',
    text => expect(phone(text)).toBe('bad_phone'),
  )
  it.each(['', 'xiaoming@example.com', ' Li@Example.cn '])('may be written to at %s', text =>
    expect(email(text)).toBeNull(),
  )
  it.each(['xiaoming', '@example.com', 'a@', 'a@b@c', 'a b@c.cn'])('may not be written to at %s', text =>
    expect(email(text)).toBe('bad_email'),
  )
})
