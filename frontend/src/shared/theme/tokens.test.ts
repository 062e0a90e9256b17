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

/** What a colour is to eyes without red, green or blue cones (Machado, Oliveira and Fernandes 2009, severity 1.0, linear RGB). */
const eyes = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
} as const
type Matrix = (typeof eyes)[keyof typeof eyes]

/** How far two colours are from each other to some eyes, in CIE Lab (D65): 10 and more are told apart at a glance. */
function apart(a: string, b: string, eye: Matrix): number {
  const lab = (hex: string) => {
    const rgb = [1, 3, 5].map(at => {
      const v = Number.parseInt(hex.slice(at, at + 2), 16) / 255
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    }) as [number, number, number]
    const row = (i: number) => eye[i]! * rgb[0] + eye[i + 1]! * rgb[1] + eye[i + 2]! * rgb[2]
    const [r, g, b] = [row(0), row(3), row(6)].map(v => Math.min(1, Math.max(0, v))) as [number, number, number]
    const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }
  const [p, q] = [lab(a), lab(b)]
  return Math.hypot(...p.map((v, i) => v - q[i]!))
}

describe.each(themes)('hot and cold in the %s theme', (_, p) => {
  it.each(Object.entries(eyes))(
    'can be told apart, and each strength from the next and from the land: %s',
    (_, eye) => {
      for (const hot of p.hot) for (const cold of p.cold) expect(apart(hot, cold, eye)).toBeGreaterThan(20)
      for (const kind of [p.hot, p.cold]) {
        for (let i = 0; i < 3; i++)
          expect(apart(kind[i]!, i === 0 ? p.map.land : kind[i - 1]!, eye)).toBeGreaterThan(10)
      }
    },
  )
})
