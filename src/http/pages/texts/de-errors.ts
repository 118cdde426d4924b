import type { ErrorCode } from '../../../domain/errors.ts';

/** The errors in German, in words for a customer's page. */
export const germanErrors: Record<ErrorCode, string> = {
  sold_out: 'Diese Reise ist ausverkauft. Ihnen wurde nichts berechnet.',
  queue_full: 'Die Warteschlange für diese Reise ist gerade voll. Versuchen Sie es gleich noch einmal.',
  not_open: 'Diese Reise ist noch nicht im Verkauf.',
  sale_closed: 'Diese Reise ist nicht mehr im Verkauf.',
  order_limit:
    'Sie haben diese Reise mit dieser E-Mail-Adresse bereits bestellt. Sie finden die Bestellung unter „Meine Bestellungen“.',
  in_progress: 'Wir buchen diese Bestellung gerade. Sie können sie stornieren, sobald sie bestätigt ist.',
  not_cancellable: 'Diese Bestellung endete ohne Buchung, es gibt also nichts zu stornieren.',
  trip_over: 'Diese Reise ist vorbei und kann nicht mehr storniert werden.',
  version_conflict:
    'Dieses Paket wurde inzwischen geändert. Prüfen Sie es und ändern Sie es dann noch einmal.',
  quota_too_low:
    'Das Kontingent darf nicht kleiner sein als die Zahl der Plätze, die gebucht sind oder gerade gebucht werden.',
  unknown_package: 'Diese Reise gibt es bei uns nicht. Wählen Sie eine Reise, die im Verkauf ist.',
  package_exists: 'Ein Paket mit dieser Nummer gibt es bereits.',
  package_not_empty:
    'Dieses Paket wurde bereits bestellt und lässt sich nicht löschen. Archivieren Sie es, wenn sein Verkauf beendet ist.',
  sale_not_ended:
    'Der Verkauf ist nicht beendet. Unterbrechen Sie ihn oder warten Sie sein Ende ab, und dann, bis keine Bestellung mehr wartet, gebucht oder storniert wird.',
  unknown_order:
    'Wir haben keine Bestellung mit dieser Nummer und dieser E-Mail-Adresse gefunden. Prüfen Sie beide und versuchen Sie es noch einmal.',
  not_retryable: 'Diese Bestellung ist abgeschlossen, es gibt also nichts zu wiederholen.',
  unknown_instance: 'Eine Instanz mit diesem Namen gibt es nicht mehr.',
  no_answer: 'Die Instanz antwortet nicht. Prüfen Sie ihren Zustand, bevor Sie es noch einmal versuchen.',
  audit_running:
    'Eine andere Prüfung oder ein anderer Abgleich läuft bereits. Versuchen Sie es noch einmal, wenn sie beendet ist.',
  ledger_unavailable:
    'Das Verzeichnis der Anbieter lässt sich nicht lesen. Versuchen Sie es gleich noch einmal.',
  unknown_route: 'Unter dieser Adresse gibt es nichts.',
  bad_request: 'Wir konnten diese Anfrage nicht lesen.',
  request_timeout: 'Ihre Anfrage war zu lange unterwegs. Bitte versuchen Sie es noch einmal.',
  headers_too_large: 'Das war zu viel auf einmal.',
  method_not_allowed: 'Das ist hier nicht möglich.',
  upgrade_required: 'Unter dieser Adresse gibt es keine Seite.',
  body_too_large: 'Das war zu viel auf einmal.',
  unsupported_media_type: 'Wir konnten dieses Formular nicht lesen.',
  invalid: 'Bitte prüfen Sie Ihre Eingaben.',
  key_reused:
    'Dieses Formular wurde schon mit anderen Angaben abgeschickt. Beginnen Sie eine neue Bestellung.',
  cross_site:
    'Dieses Formular kam nicht von unseren eigenen Seiten. Öffnen Sie die Seite neu und schicken Sie es von dort ab.',
  unauthorized: 'Dafür ist ein gültiges Token nötig.',
  read_only: 'Sie können hier alles sehen, aber nichts ändern.',
  rate_limited:
    'Das waren zu viele Anfragen auf einmal. Warten Sie einen Moment und versuchen Sie es dann noch einmal.',
  supplier_failed: 'Die Buchung ist fehlgeschlagen. Ihnen wurde nichts berechnet.',
  flight_unavailable: 'Die Fluggesellschaft hatte keinen Sitzplatz mehr. Ihnen wurde nichts berechnet.',
  hotel_unavailable: 'Das Hotel hatte kein Zimmer mehr. Ihnen wurde nichts berechnet.',
  invalid_ticket: 'Das Hotel hat das Flugticket nicht angenommen. Ihnen wurde nichts berechnet.',
  unknown_payment: 'Diese Zahlung gibt es nicht.',
  payment_refused: 'Der Zahlungsanbieter hat die Zahlung nicht angenommen. Ihnen wurde nichts berechnet.',
  payment_declined: 'Ihre Zahlung wurde abgelehnt. Ihnen wurde nichts berechnet.',
  payment_expired:
    'Diese Bestellung wurde nicht rechtzeitig bezahlt. Falls Sie später bezahlt haben, wird Ihre Zahlung erstattet.',
  invalid_signature: 'Diese Nachricht ist nicht gültig signiert.',
  cancelled: 'Diese Reservierung ist storniert.',
  overloaded:
    'Gerade bestellen so viele Menschen, dass wir Ihre Bestellung nicht annehmen konnten. Versuchen Sie es gleich noch einmal.',
  no_owner:
    'Wir können für diese Reise im Moment keine Bestellungen annehmen. Versuchen Sie es in ein paar Sekunden noch einmal.',
  paused: 'Der Verkauf dieser Reise ist unterbrochen. Alle in der Warteschlange behalten ihre Position.',
  store_unavailable:
    'Wir können im Moment keine Bestellungen annehmen. Sie können dasselbe Formular unbesorgt noch einmal abschicken.',
  not_ready:
    'Wir können im Moment keine Bestellungen annehmen. Versuchen Sie es in ein paar Sekunden noch einmal.',
  internal:
    'Bei uns ist etwas schiefgegangen. Sie können dasselbe Formular unbesorgt noch einmal abschicken.',
};
