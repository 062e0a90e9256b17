import { expect, test } from 'vitest'
import { formatter } from './format'

test('how long ago is set as the words around it are', () => {
  const zh = formatter('zh', 'Asia/Shanghai')
  const en = formatter('en', 'Asia/Shanghai')
  const now = Date.UTC(2026, 10, 26, 4) / 1000
  expect(
    [30, 300, 7200, 86_400, 17 * 86_400, -3 * 86_400, 40 * 86_400].map(s => [
      zh.ago(now - s, now),
      en.ago(now - s, now),
    ]),
  ).toEqual([
    ['现在', 'now'],
    ['5 分钟前', '5 min ago'],
    ['2 小时前', '2 hr ago'],
    ['昨天', 'yesterday'],
    ['17 天前', '17 days ago'],
    ['3 天后', 'in 3 days'],
    ['2026-10-17', '2026-10-17'],
  ])
})
