import { type Done, unitName } from '../center/cases'

type Say = (key: string) => string

/** Who did something: by name where it may be told, else by unit and role. */
export function who(by: Done['by'], t: Say, locale: string): string {
  if (!by) return t('matter.work.service')
  if (by.me) return t('matter.work.me')
  if (by.name) return by.name
  return [by.unit ? unitName(by.unit, locale) : '', by.role ? t(`role.${by.role}`) : ''].filter(Boolean).join(' ')
}
