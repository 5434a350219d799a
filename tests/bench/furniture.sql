-- A house after a busy year; see furnishing.py. In the order of the foreign keys, each statement whole.
-- Readers: four of five active, the others pending, gone or suppressed, over two years.
insert into subscribers_subscriber (id, public_id, address, address_key, address_hash, status, status_at,
  created_at, confirmed_at, time_zone, send_minute, frequency, weekday, size, paused_until)
  select n, 'r' || lpad(n::text, 21, '0'), 'reader-' || n || '@readers.example',
  'reader-' || n || '@readers.example', 'v1:' || md5(n::text),
  case when n %% 5 > 0 then 'active' when n %% 25 = 0 then 'pending' when n %% 100 = 5 then 'suppressed'
  else 'unsubscribed' end,
  %(now)s - (n %% 730) * interval '1 day', %(now)s - (n %% 730 + 5) * interval '1 day',
  case when n %% 25 > 0 then %(now)s - (n %% 730) * interval '1 day' end,
  'Europe/Berlin', 420, (array['daily','daily','daily','weekdays','weekly'])[1 + n %% 5], n %% 7, 10,
  case when n %% 500 = 1 then %(now)s::date + 7 end
  from generate_series(1, %(readers)s) n;

insert into subscribers_preference (weight, subscriber_id, topic_id)
  select 1, n, (select array_agg(id order by id) from subscribers_topic)[1 + (n * 7 + k * 3) %% 12]
  from generate_series(1, %(readers)s) n, generate_series(0, 1) k;

insert into subscribers_consentevent (address_hash, kind, source, user_agent, at, subscriber_id, keeping)
  select 'v1:' || md5(n::text), case when n %% 1000 = 7 then 'erased' when n %% 10 = 0 then 'withdrawn'
  else 'confirmed' end, 'form', '', %(now)s - (%(readers)s - n) * interval '40 seconds', n, 0
  from generate_series(1, %(readers)s) n;

insert into subscribers_auditevent (at, by_name, kind, about, detail)
  select %(now)s - (%(readers)s / 10 - n) * interval '5 minutes', 'vera',
  (array['login','changed','deed','exported'])[1 + n %% 4], 'edition of a day', ''
  from generate_series(1, %(readers)s / 10) n;

insert into subscribers_systemmail (public_id, kind, state, attempts, detail, created_at, not_before,
  owner, epoch, sent_at, subscriber_id, "to")
  select 'm' || lpad(n::text, 21, '0'), 'confirm', case when n %% 1000 = 3 then 'failed' else 'sent' end, 1,
  '', %(now)s - n * interval '1 minute', %(now)s - n * interval '1 minute', '', 1, %(now)s, n, ''
  from generate_series(1, %(readers)s / 10) n;

insert into subscribers_suppression (address_hash, reason, source, at)
  select 'v1:' || md5(n::text), (array['bounce','complaint','request'])[1 + n %% 3], 'event',
  %(now)s - n * interval '1 minute' from generate_series(5, %(readers)s, 100) n;

insert into subscribers_leavingreason (reason, words, at)
  select (array['too_many','not_fitting','elsewhere','other'])[1 + n %% 4], '', %(now)s - n * interval '11 minutes'
  from generate_series(1, %(readers)s / 20) n;

-- Papers of three hundred days, so that a tenth is of the last thirty.
insert into digest_paper (id, identity, arxiv_id, version, title, abstract, summary, authors, categories,
  primary_category, published_at, upvotes, comments, stars, code_url, project_url, thumbnail_url, thumbnail,
  thumbnail_width, thumbnail_height, withdrawn_at, stored_at)
  select n, 'p' || n, 'p' || n, 1, (select string_agg((array['diffusion','language','models','video','robust','learning','sparse','graph','neural','agents','reasoning','scaling','generation','speech','quantum','optimal','causal','retrieval','vision','policies'])[1 + (hashint4(n * 31 + w) & 1023) %% 20], ' ') from generate_series(1, 9) w), repeat('We study how such systems behave when the data is scarce, and what helps. ', 12), '', '["Ada Example", "Ben Sample"]',
  jsonb_build_array((array['cs.CV','cs.CL','cs.LG','cs.AI','cs.RO','stat.ML','cs.SD','quant-ph','math.OC','eess.IV'])[1 + n %% 10], (array['cs.CV','cs.CL','cs.LG','cs.AI','cs.RO','stat.ML','cs.SD','quant-ph','math.OC','eess.IV'])[1 + (n / 10) %% 10]),
  (array['cs.CV','cs.CL','cs.LG','cs.AI','cs.RO','stat.ML','cs.SD','quant-ph','math.OC','eess.IV'])[1 + n %% 10], %(now)s - (%(papers)s - n) * interval '300 days' / %(papers)s,
  n %% 90, n %% 7, n %% 200, '', '', '', '', 0, 0, case when n %% 2000 = 9 then %(now)s end,
  %(now)s - (%(papers)s - n) * interval '300 days' / %(papers)s
  from generate_series(1, %(papers)s) n;

insert into digest_papertopic (paper_id, topic_id)
  select n, (select array_agg(id order by id) from subscribers_topic)[1 + (n * 5 + k) %% 12]
  from generate_series(1, %(papers)s) n, generate_series(0, 1) k;

insert into digest_edition (id, day, state, paused_from, note, missing_sources, candidate_count, enrolled,
  enrolled_upto, revision, opened_at, frozen_at, approved_at, enrolled_at, closed_at, pause_reason, subject,
  resent)
  select n, %(now)s::date - (%(editions)s - n)::int, case when n = %(editions)s then 'frozen'
  when n = %(large_edition)s then 'sending' else 'sent' end, '', '', '[]', %(candidates)s,
  case when n = %(large_edition)s then %(largest)s
  when n between %(large_edition)s - 6 and %(large_edition)s - 1 then %(older)s else 0 end,
  0, 3, %(now)s - (%(editions)s - n) * interval '1 day', %(now)s - (%(editions)s - n) * interval '1 day',
  case when n < %(editions)s then %(now)s - (%(editions)s - n) * interval '1 day' end,
  case when n < %(editions)s then %(now)s - (%(editions)s - n) * interval '1 day' end,
  case when n < %(large_edition)s then %(now)s - (%(editions)s - n) * interval '1 day' end, '', '', 0
  from generate_series(1, %(editions)s) n;

insert into digest_appearance (source, day, edition_id, paper_id)
  select (array['arxiv','huggingface'])[1 + n %% 2],
  %(now)s::date - ((%(papers)s - n) * 300 / %(papers)s)::int, null, n
  from generate_series(1, %(papers)s) n;

insert into digest_candidate (featured_on, sources, upvotes, comments, stars, pin, hidden, note, edition_id,
  paper_id)
  select %(now)s::date - (%(editions)s - e)::int, '["arxiv"]', c %% 90, c %% 7, c %% 200,
  case when c <= 2 then c end, c %% 100 = 50, '', e,
  %(papers)s - (%(editions)s - e) * (%(papers)s / 300) - c
  from generate_series(1, %(editions)s) e, generate_series(1, %(candidates)s) c;

insert into digest_decision (kind, before, after, by_name, revision, at, edition_id, paper_id)
  select 'pinned', '{"pin": null}', '{"pin": 1}', 'vera', n, %(now)s - n * interval '1 minute', e, n
  from generate_series(1, %(editions)s) e, generate_series(1, 20) n;

-- The large edition, half through; then six older ones of a part of the readers each.
insert into digest_delivery (id, public_id, address_hash, state, local_date, not_before, expires_at, attempts,
  owner, epoch, picks, subject, submitted_at, settled_at, provider_id, detail, subscriber_id, edition_id,
  delivered_at, bounced_at, soft_bounced_at, complained_at, left_at, clicks_counted)
  select n + %(older)s * 6, 'd' || lpad(n::text, 21, '0'), 'v1:' || md5(n::text),
  case when n %% 2 = 0 then 'ready' when n %% 101 = 0 then 'rejected' when n %% 997 = 0 then 'unknown'
  when n %% 51 = 0 then 'skipped_empty' else 'accepted' end,
  %(now)s::date - 1, %(now)s - interval '3 hours' + (n %% 360) * interval '1 minute',
  %(now)s + interval '12 hours', 1, '', 1, '[[1, "new today"], [2, "3 votes"], [3, "you follow it"]]', '',
  case when n %% 2 = 1 then %(now)s - interval '1 hour' end,
  case when n %% 2 = 1 then %(now)s - interval '1 hour' - (n %% 3600) * interval '1 second' end,
  case when n %% 2 = 1 then 'p' || n else '' end, '', n, %(large_edition)s,
  case when n %% 10 = 1 then %(now)s end, case when n %% 201 = 1 then %(now)s end,
  case when n %% 301 = 1 then %(now)s end, case when n %% 2001 = 1 then %(now)s end,
  case when n %% 401 = 1 then %(now)s end, false
  from generate_series(1, %(largest)s) n;

insert into digest_delivery (id, public_id, address_hash, state, local_date, not_before, expires_at, attempts,
  owner, epoch, picks, subject, submitted_at, settled_at, provider_id, detail, subscriber_id, edition_id,
  delivered_at, bounced_at, complained_at, clicks_counted)
  select (e - 1) * %(older)s + n, 'e' || e || lpad(n::text, 20, '0'), 'v1:' || md5(n::text),
  case when n %% 103 = 0 then 'rejected' else 'accepted' end, %(now)s::date - 8 + e,
  %(now)s - (8 - e) * interval '1 day', %(now)s - (8 - e) * interval '1 day', 1, '', 1,
  '[[1, "new today"], [2, "3 votes"]]', '', %(now)s, %(now)s - (8 - e) * interval '1 day', '', '', n,
  %(large_edition)s - 7 + e, %(now)s, case when n %% 301 = 1 then %(now)s end,
  case when n %% 3001 = 1 then %(now)s end, false
  from generate_series(1, 6) e, generate_series(1, %(older)s) n;

insert into digest_providerevent (provider, key, kind, recipient_hash, at, received_at, applied_at, detail,
  delivery_id)
  select 'postmark', 'k' || n, case when n %% 60 = 0 then 'bounced' when n %% 997 = 0 then 'complained'
  else 'delivered' end, 'v1:' || md5(n::text), %(now)s, %(now)s, %(now)s, '', n
  from generate_series(1, %(readers)s / 2) n;

insert into digest_click (robot, at, delivery_id, paper_id, link)
  select case when n %% 3 = 0 then 'scanner' else '' end, %(now)s - n * interval '1 second',
  %(older)s * 6 + n, 1 + n %% 10, 'title' from generate_series(1, %(readers)s / 10) n;

insert into digest_ingestrun (source, category, day, state, announced, new, updated, unchanged, skipped,
  reasons, error, started_at, finished_at)
  select 'arxiv', c, %(now)s::date - d, case when d %% 50 = 7 then 'failed' else 'complete' end, 212, 200, 12,
  0, 0, '{}', case when d %% 50 = 7 then 'arXiv did not answer.' else '' end,
  %(now)s - d * interval '1 day', %(now)s - d * interval '1 day'
  from generate_series(0, 365) d, unnest(array['cs.CV','cs.CL','cs.LG','cs.AI','cs.RO','stat.ML']) c;

insert into digest_candidatefigures (candidate_id, digests, pinned, clicks, robots, agreed)
  select id, 9000, 100, 300, 20, 4000 from digest_candidate where edition_id < %(editions)s;

