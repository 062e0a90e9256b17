import { describe, expect, it } from 'vitest'
import { contrast, luminance } from './contrast'
import { dark, light, type Palette } from './tokens'

const themes: [string, Palette][] = [
  ['light', light],
  ['dark', dark],
]

describe.each(themes)('%s theme', (_, p) => {
  const text = ['ink', 'muted', 'primary', 'ok', 'amberInk', 'red'] as const
  const behind = ['ground', 'surface', 'hover', 'chosen'] as const
  it.each(text.flatMap(t => behind.map(b => [t, b] as const)))('%s can be read on %s', (t, b) => {
    expect(contrast(p[t], p[b])).toBeGreaterThanOrEqual(4.5)
  })

  it('can be read on a filled button', () => {
    expect(contrast(p.onPrimary, p.primary)).toBeGreaterThanOrEqual(4.5)
  })

  it('shows the edges of fields and the marks that are not text at 3:1', () => {
    expect(contrast(p.field, p.surface)).toBeGreaterThanOrEqual(3)
    expect(contrast(p.amber, p.surface)).toBeGreaterThanOrEqual(3)
  })

  it('has map labels that can be read on their halo and on the land', () => {
    for (const label of [p.map.label, p.map.labelMuted]) {
      expect(contrast(label, p.map.halo)).toBeGreaterThanOrEqual(4.5)
      expect(contrast(label, p.map.land)).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('orders heat by lightness without a turn', () => {
    const steps = p.heat.map(luminance)
    const sorted = [...steps].sort((a, b) => (p === light ? b - a : a - b))
    expect(steps).toEqual(sorted)
  })
})

describe('contrast', () => {
  it('agrees with the reference values', () => {
    expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 6)
    expect(contrast('#777777', '#FFFFFF')).toBeCloseTo(4.48, 2)
  })
})
