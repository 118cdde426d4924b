import { type Html, markup } from '../../http/pages/markup.ts';
import type { FieldError } from '../../http/problem.ts';

export interface FieldParts {
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly type?: 'text' | 'number' | 'date' | 'datetime-local' | 'email' | 'password';
  readonly required?: boolean;
  readonly min?: number;
  readonly maxLength?: number;
  readonly autocomplete?: string;
  readonly note?: string;
  /** Takes the focus when the page opens. */
  readonly autofocus?: boolean;
}

/** An input with its label, note and errors. */
export function field(parts: FieldParts, errors: readonly FieldError[] = []): Html {
  const { name, label, value = '', type = 'text', required = false, note, autocomplete = 'off' } = parts;
  const wrong = errors.filter(({ path }) => path === name).map(({ message }) => message);
  const described = [
    ...(wrong.length > 0 ? [`${name}-error`] : []),
    ...(note === undefined ? [] : [`${name}-note`]),
  ].join(' ');
  const attributes = [
    required && markup` required`,
    parts.min !== undefined && markup` min="${parts.min}" step="1" inputmode="numeric"`,
    parts.maxLength !== undefined && markup` maxlength="${parts.maxLength}"`,
    type === 'text' && markup` dir="auto"`,
    type === 'datetime-local' && markup` step="${/:\d\d:/.test(value) ? 1 : 60}" max="9999-12-31T23:59:59"`,
    described !== '' && markup` aria-describedby="${described}"`,
    wrong.length > 0 && markup` aria-invalid="true"`,
    (parts.autofocus === true || errors[0]?.path === name) && markup` autofocus`,
  ].filter((attribute) => attribute !== false);
  return markup`
    <div class="field field-${type}">
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"${attributes}>
      ${wrong.map((message) => markup`<p class="field-error" id="${name}-error">${sentence(label, message)}</p>`)}
      ${note === undefined ? '' : markup`<p class="field-note" id="${name}-note">${note}</p>`}
    </div>`;
}

/**
 * Joins label and message, as in `Price in USD must be a whole number.` A message that is already a sentence stays as
 * it is.
 */
function sentence(label: string, message: string): string {
  return /^[A-Z\d]/.test(message) ? message : `${label} ${message}.`;
}
