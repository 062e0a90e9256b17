import { describe, expect, it } from 'vitest'
import { fitting } from './posterfit'

const item = (name: string, time: string) => ({ name, who: '镇街综合行政执法队', time })
const aspects = (n: number, name = '露天焚烧', time = '首次响应 30 分钟 · 处置时限 紧急 4 小时') =>
  Array.from({ length: 6 }, (_, k) => Array.from({ length: Math.ceil(n / 6) }, () => item(`${name}${k}`, time)))

describe('a poster', () => {
  it('is as large as its sheet takes', () => {
    expect(fitting(aspects(12))).toBe('large')
    expect(fitting(aspects(200))).toBe('dense')
    const order = ['large', 'middle', 'small', 'dense']
    const sizes = [6, 18, 24, 30, 42, 60].map(n => order.indexOf(fitting(aspects(n))))
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
  })

  it('is smaller where words are longer', () => {
    const long = fitting(
      aspects(
        18,
        'Road occupation and trade outside of the shop',
        'First response 2 working hours · Disposal 5 working days',
      ),
    )
    expect(['small', 'dense']).toContain(long)
  })
})
