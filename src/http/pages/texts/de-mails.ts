import type { Texts } from './en.ts';

/** The German texts of the mails about an order. */
export const germanMails: Texts['mails'] = {
  payable: {
    subject: 'Bitte bezahlen Sie Ihre Reise',
    text: (amount, time) =>
      `Ihr Sitzplatz und Ihr Zimmer sind für Sie reserviert. Bitte bezahlen Sie ${amount} bis ${time}.`,
    next: 'Sobald Ihre Zahlung eingeht, ist Ihre Reise gebucht. Ohne sie bekommt jemand anders Ihren Platz.',
    link: 'Bestellung öffnen und bezahlen',
  },
  confirmed: {
    subject: 'Ihre Reise ist gebucht',
    text: (night) => `Ihr Sitzplatz und Ihr Zimmer für die Nacht vom ${night} sind reserviert.`,
    next: 'Auf Ihrer Reise brauchen Sie die Ticket- und die Reservierungsnummer unten.',
    calendar: 'Mit der angehängten Datei übernehmen Sie die Reise in Ihren Kalender.',
  },
  failed: {
    subject: 'Ihre Reise wurde nicht gebucht',
    next: 'Diese Bestellung ist beendet. Andere Reisen sind vielleicht noch im Verkauf.',
  },
  cancelled: {
    subject: 'Ihre Reise ist storniert',
    text: 'Ihr Sitzplatz und Ihr Zimmer wurden zurückgegeben.',
    next: 'Diese Bestellung ist beendet.',
  },
  refunded: {
    subject: 'Ihre Zahlung ist erstattet',
    text: (amount) => `Der Zahlungsanbieter hat ${amount} erstattet.`,
    next: 'Bis Ihre Bank das anzeigt, können einige Tage vergehen.',
  },
  flight: 'Flug',
  price: 'Preis',
  link: 'Bestellung öffnen',
  linkNote:
    'Dieser Link ist privat. Wer ihn hat, sieht diese Bestellung und Ihre E-Mail-Adresse und kann die Reise stornieren.',
  footer:
    'Sie bekommen diese E-Mail, weil mit dieser Adresse eine Reise bestellt wurde. Bitte antworten Sie nicht darauf.',
};
