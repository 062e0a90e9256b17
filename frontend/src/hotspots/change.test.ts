import { describe, expect, it } from 'vitest'
import { changeOf } from './change'

describe('an effect in words', () => {
  it('fell by shares of what was usual', () => {
    expect(changeOf({ reading: 'fell', low: 0.52, high: 0.78 }).words).toEqual({ from: '22 %', to: '48 %' })
  })
  it('rose by shares', () => {
    expect(changeOf({ reading: 'rose', low: 1.1, high: 1.654 }).words).toEqual({ from: '10 %', to: '65 %' })
  })
  it('has no upper bound where the service knows none', () => {
    expect(changeOf({ reading: 'rose', low: 1.4, high: 1000 })).toMatchObject({ words: { from: '40 %' }, open: true })
    expect(changeOf({ reading: 'rose', low: 1.4, high: 999 }).open).toBe(false)
    expect(changeOf({ reading: 'no_change', low: 0.4, high: 1000 }).open).toBe(false)
  })
  it('stands on a line about no change', () => {
    const { at } = changeOf({ reading: 'no_change', low: 0.5, high: 3 })
    expect([at(0.5), at(1), at(3), at(undefined)]).toEqual([0.25, 0.5, 1, null])
  })
})
