import { describe, expect, it } from 'vitest'
import pagesEn from './en'
import fieldEn from './field.en'
import fieldZh from './field.zh'
import pagesZh from './zh'

// The phone app's words are in files of their own, as it loads no others.
const zh = { ...pagesZh, ...fieldZh }
const en = { ...pagesEn, ...fieldEn }

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : leaves(value, `${path}${key}.`),
  )
}

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()

const chinese = new Map(leaves(zh))
const english = new Map(leaves(en))

describe('messages', () => {
  it('say the same things in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it.each([...chinese.keys()])('put the same values in: %s', key => {
    // Each plural form of an English message counts for itself.
    for (const form of english.get(key)!.split(' | '))
      expect(placeholders(form)).toEqual(placeholders(chinese.get(key)!))
  })

  it('leave no English in Chinese', () => {
    // WebGL, and the X of 1+1+X, are proper names that have no Chinese ones; nor have the signs of statistics and formats of files.
    const own = /\{\w+\}|WebGL|\bX\b|\b[pqz]\b|Gi\*|PNG|CSV|GeoJSON|https/g
    const latin = [...chinese].filter(([, text]) => /[A-Za-z]/.test(text.replace(own, '')))
    expect(latin).toEqual([])
  })

  it('leave no Chinese in English', () => {
    expect([...english].filter(([, text]) => /\p{Script=Han}/u.test(text))).toEqual([])
  })

  it('shout at nobody', () => {
    for (const text of [...chinese.values(), ...english.values()]) expect(text).not.toMatch(/[!！]/)
  })

  it('are never empty', () => {
    for (const text of [...chinese.values(), ...english.values()]) expect(text.trim()).not.toBe('')
  })
})
