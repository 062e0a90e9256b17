import { expect, test } from 'vitest'
import { areaName, inWords, nameIn } from './names'

test('words are in the reader’s language, or in the other', () => {
  expect(inWords({ zh: '由执法队负责', en: 'the team leads' }, 'en')).toBe('the team leads')
  expect(inWords({ zh: '由执法队负责', en: 'the team leads' }, 'zh')).toBe('由执法队负责')
  expect(inWords({ zh: '执法队', en: '' }, 'en')).toBe('执法队')
  expect(inWords({ en: 'team' }, 'zh')).toBe('team')
  expect([inWords(undefined, 'zh'), nameIn(undefined, 'en')]).toEqual(['', ''])
})

test('a jurisdiction has its name, in Latin letters for who reads English, or its code', () => {
  const town = { name: '长安镇', name_latin: "Chang'an", code: '330481103' }
  expect([areaName(town, 'zh'), areaName(town, 'en')]).toEqual(['长安镇', "Chang'an"])
  expect([areaName({ name: '', code: '330481103' }, 'en'), areaName({ name: '' }, 'zh')]).toEqual(['330481103', ''])
})
