import { describe, expect, it } from 'vitest'
import { nothingFilled } from '../center/cases'
import { readWriting } from './drafts'
import { metresBetween, taken } from './taken'

describe('what a photo says of itself', () => {
  it('is held against the place', () => {
    const place = { lon: 120.5, lat: 30.4 }
    // A thousandth of a degree of latitude is 111.19 m on the sphere.
    expect(metresBetween(place, { lon: 120.5, lat: 30.401 })).toBeCloseTo(111.19, 1)
    expect(metresBetween(place, { lon: 120.501, lat: 30.4 })).toBeCloseTo(95.91, 1)
    expect(metresBetween(place, place)).toBe(0)
    expect(taken({ state: 'ready', lon: 120.5, lat: 30.4, taken_at: '2026-11-26T06:02:00Z' }, place)).toEqual({
      metres: 0,
      at: 1_795_672_920,
    })
    expect(taken({ state: 'ready', lon: 120.5, lat: 30.4 }, null)).toEqual({ metres: null, at: null })
    expect(taken(null, place)).toEqual({ metres: null, at: null })
  })
})

describe('what was being written', () => {
  const filled = { ...nothingFilled(), reason: 'rain' }
  const stored = { open: 'note', key: 'k', forms: { note: filled }, photos: ['p'] }
  it('comes back', () => expect(readWriting(JSON.stringify(stored))).toEqual(stored))
  it('is nothing where nothing of the kind is stored', () => {
    for (const bad of [null, '', '{', '3', '{}', '{"key":1,"photos":[]}', '{"key":"k"}'])
      expect(readWriting(bad)).toBeNull()
    expect(readWriting(JSON.stringify({ ...stored, forms: { note: { reason: 1 } } }))).toEqual({
      ...stored,
      open: null,
      forms: {},
    })
  })
})
