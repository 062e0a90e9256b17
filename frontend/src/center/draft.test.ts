import { describe, expect, it } from 'vitest'
import { freshDraft, readDraft, toReport } from './draft'

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

  it('comes back from storage, and nothing else does', () => {
    const d = { ...freshDraft(now), item: '04' }
    expect(readDraft(JSON.stringify(d))).toEqual(d)
    for (const bad of [null, '', '{', '3', 'null', '{"id":3}', '{"kind":"whatever"}']) expect(readDraft(bad)).toBeNull()
  })
})
