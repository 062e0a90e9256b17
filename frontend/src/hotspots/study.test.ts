import { describe, expect, it } from 'vitest'
import type { Role } from '../shared/api/types'
import { type Asked, formatAsked, parseAsked } from './study'

const levels: Role[] = ['town', 'village', 'grid']
const usual: Asked = {
  level: 'grid',
  value: 'count',
  weights: 'queen',
  step: null,
  show: 'spots',
  bandwidth: null,
  tab: 'places',
  of: null,
  open: null,
  all: false,
  beside: null,
}

describe('what is asked of hot spots, in the address', () => {
  it('is empty when it is as usual', () => {
    expect(parseAsked({}, levels)).toEqual(usual)
    expect(formatAsked(usual, levels)).toEqual({})
  })
  it.each<Partial<Asked>>([
    { level: 'village', value: 'rate', weights: 'knn:8', step: 'week', show: 'rate' },
    { show: 'heat', bandwidth: 400, beside: '2026-01-01' },
    { tab: 'proposals', open: { what: 'proposal', id: '0198c0de-0000-7000-8000-000000000001' } },
    { open: { what: 'place', id: 'a:b' } },
    { tab: 'orders', of: 'cancelled' },
    { all: true },
  ])('comes back as it was: %j', part => {
    expect(parseAsked(formatAsked({ ...usual, ...part }, levels), levels)).toEqual({ ...usual, ...part })
  })
  it('leaves out what cannot be read', () => {
    expect(
      parseAsked(
        {
          level: 'city',
          value: 'luck',
          weights: 'stars',
          step: 'hour',
          show: 'all',
          bandwidth: '0',
          tab: 'x',
          of: 'y',
          open: 'place:',
          beside: 'yesterday',
        },
        levels,
      ),
    ).toEqual(usual)
  })
  it('goes by the lowest level where there are no grids', () => {
    expect(parseAsked({}, ['town', 'village']).level).toBe('village')
  })
})
