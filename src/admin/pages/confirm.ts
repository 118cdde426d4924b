import { type Html, markup } from '../../http/pages/markup.ts';

export interface ConfirmParts {
  /** A question: `Pause package 3?` */
  readonly question: string;
  /** What it is about, in other words than its number: a slip of one digit is seen by it. */
  readonly subject?: string;
  /** What will happen, the most important first. */
  readonly effects: readonly string[];
  /** Where the form is sent; absent when it cannot be done now. */
  readonly action?: string;
  /** What is sent along. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The label of the button: what it does. */
  readonly yes?: string;
  readonly isDangerous?: boolean;
  /** Where one goes who does not want it. */
  readonly back: string;
  readonly backLabel?: string;
}

/** The step before an action: it names the effect, in figures, before anything happens. */
export function confirmStep(parts: ConfirmParts): Html {
  const {
    question,
    subject,
    effects,
    action,
    fields = {},
    yes = 'Yes',
    isDangerous = true,
    back,
    backLabel,
  } = parts;
  return markup`
    <section class="card confirm-step">
      <div><h1>${question}</h1>${subject === undefined ? '' : markup`<p class="confirm-subject" dir="auto">${subject}</p>`}</div>
      <ul class="effects">${effects.map((effect) => markup`<li>${effect}</li>`)}</ul>
      <div class="confirm-actions">
        ${
          action === undefined
            ? ''
            : markup`
              <form method="post" action="${action}">
                ${Object.entries(fields).map(
                  ([name, value]) =>
                    markup`<input type="hidden" name="${name}" value="${value}" autocomplete="off">`,
                )}
                <button class="button ${isDangerous ? 'danger-solid' : 'primary'}" type="submit" data-busy="One moment…"><span class="button-label">${yes}</span></button>
              </form>`
        }
        <a class="button quiet" href="${back}">${backLabel ?? 'Leave it as it is'}</a>
      </div>
    </section>`;
}
