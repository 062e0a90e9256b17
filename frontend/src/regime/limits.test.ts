import { describe, expect, it } from 'vitest'
import { limitWords, parseLimit, parseStages, writeLimit, writeStages } from './limits'

describe('limits', () => {
  it.each([
    ['4 wh', '4 wh'],
    ['30min', '30 min'],
    ['90 min', '1.5 ch'],
    ['24 h', '24 ch'],
    ['48 h', '2 d'],
    ['0.5 wd', '0.5 wd'],
    ['5 个工作日', '5 wd'],
    ['紧急 3 小时', '3 ch'],
    ['4 工作时', '4 wh'],
    ['45 WMIN', '45 wmin'],
  ])('%s is %s', (text, code) => {
    const limit = parseLimit(text)
    expect(limit && writeLimit(limit)).toBe(code)
  })

  it.each(['', 'soon', '4', 'wh', '-1 wh', '0 wh', '0.3 wd', '紧急 4 wh', '99999 d', '4 fortnights'])(
    '%s is none',
    text => {
      expect(parseLimit(text)).toBeNull()
    },
  )

  it('have words with a plural', () => {
    expect(limitWords(parseLimit('1 wh')!)).toEqual({ key: 'limit.wh', n: '1', count: 1 })
    expect(limitWords(parseLimit('0.5 wd')!)).toEqual({ key: 'limit.wd', n: '0.5', count: 2 })
  })

  it('of stages are read as they are written', () => {
    const text = '责令停工/Stop order 4 wh; 处罚/Penalty 7 wd; 第2步 20 wd'
    expect(writeStages(parseStages(text)!)).toBe(text)
    expect(parseStages('5 wd')).toEqual([{ limit: '5 wd' }])
    for (const bad of ['', 'stop', 'stop 4 wh; penalty', 'stop 4']) expect(parseStages(bad)).toBeNull()
  })
})
