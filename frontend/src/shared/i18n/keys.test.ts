import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { postRoles } from '../session/roles'
import pagesEn from './en'
import fieldEn from './field.en'
import fieldZh from './field.zh'
import pagesZh from './zh'

// The phone app's words are in files of their own, as it loads no others.
const zh = { ...pagesZh, ...fieldZh }
const en = { ...pagesEn, ...fieldEn }

// What the pages ask for is held against what there are words for. A key stands in the source whole, as 'frame.map', or with
// holes, as `level.${role}`: of such a one it is not known which it is, but that it is one of a section.

type Tree = { [key: string]: string | Tree }
function leaves(tree: Tree, path = ''): string[] {
  return Object.entries(tree).flatMap(([k, v]) => (typeof v === 'string' ? [path + k] : leaves(v, `${path}${k}.`)))
}
const words = { zh: leaves(zh), en: leaves(en) }
const sections = Object.keys(zh)

const src = join(import.meta.dirname, '../..')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(f => /\.(ts|vue)$/.test(f) && !/\.test\.ts$|\.d\.ts$/.test(f))
  .filter(f => !/i18n[/\\](\w+\.)?(zh|en)\.ts$/.test(f))
const text = (f: string) => readFileSync(join(src, f), 'utf8')

/** Actions, events and acts are written like keys, and are none. */
const like = [text('shared/session/roles.ts'), text('shared/api/live.ts')].join().matchAll(/'([a-z]+\.[a-z_]+)'/g)
const acts = files.flatMap(f => [...text(f).matchAll(/\.act === '([a-z_.]+)'/g)])
const others = new Set([...like, ...acts].map(m => m[1]!).filter(k => !words.zh.includes(k)))

/** Keys that the source names whole, and patterns of those with holes, each with where it is. */
const whole: [string, string][] = []
const holed: [RegExp, string][] = []
for (const f of files) {
  const code = text(f).replace(/^\s*(\/\/|\/?\*).*$/gm, '')
  // Whatever is handed to t or te, and whatever else looks like a key of one of the sections.
  for (const [, key] of code.matchAll(/(?:\bte?\(\s*|\bkeypath=)['"]([\w.]+)['"]/g)) whole.push([key!, f])
  for (const [, key] of code.matchAll(/'([a-zA-Z]\w*(?:\.\w+)+)'/g))
    if (sections.includes(key!.split('.')[0]!) && !others.has(key!)) whole.push([key!, f])
  for (const [, key] of code.matchAll(/`((?:[\w.]|\$\{[^`]*?\})+)`/g)) {
    const pattern = key!
      .replace(/\$\{[^`]*?\}/g, '\0')
      .replaceAll('.', '\\.')
      .replaceAll('\0', '[\\w.]+')
    if (sections.includes(key!.split('.')[0]!) && key!.includes('${')) holed.push([new RegExp(`^${pattern}$`), f])
  }
}
/** What is asked for by something that the source does not name. */
const asked = [...postRoles].map(r => `role.${r}`)

describe('words', () => {
  it('are found at all', () => {
    expect(whole.length).toBeGreaterThan(500)
    expect(holed.length).toBeGreaterThan(30)
    expect(whole.map(([k]) => k)).toContain('map.wholeOf')
  })

  it.each(['zh', 'en'] as const)('are there for each key that a page names: %s', language => {
    // An address or a field that looks like a key would be listed here; none does.
    expect(whole.filter(([k]) => !words[language].includes(k))).toEqual([])
  })

  it('are there for each key with holes that a page names', () => {
    expect(holed.filter(([k]) => !words.zh.some(w => k.test(w)))).toEqual([])
  })

  it('are all said somewhere', () => {
    const named = new Set([...asked, ...whole.map(([k]) => k)])
    expect(words.zh.filter(w => !named.has(w) && !holed.some(([k]) => k.test(w)))).toEqual([])
  })
})
