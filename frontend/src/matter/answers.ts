import type { Act } from '../center/cases'

/** What is said again and again with an act, by the names that the words have (`answer`), the usual one first. */
export const answers: Partial<Record<Act, readonly string[]>> = {
  reject: ['notOurs', 'notFound', 'told', 'unclear'],
  merge: ['same'],
  return: ['otherUnit', 'otherPlace', 'unclear'],
  transfer: ['border', 'otherUnit'],
  extend: ['parts', 'weather', 'people'],
  ask_extension: ['parts', 'weather', 'people'],
  suspend: ['season', 'works'],
  feed_back: ['cleaned', 'agreed', 'nothing'],
  settle: ['cleaned', 'agreed'],
  send_back: ['remains', 'photo'],
  close: ['done', 'agreedTo', 'nothingThere'],
  note: ['called', 'visited'],
}

export const languages = ['zh', 'en'] as const

/** What was typed, with a template after it: nothing that somebody wrote is lost. */
export function withTemplate(typed: string, template: string, most = 2000): string {
  const before = typed.trimEnd()
  const whole = before ? `${before}\n${template}` : template
  return whole.length > most ? typed : whole
}
