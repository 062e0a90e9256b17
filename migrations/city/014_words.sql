-- The words by which reports and their cases are found (package search): those of what was told have weight A, number and item B, what
-- those who work with it wrote D. A report that has no row yet gets one in the background of a node's start.
CREATE TABLE report_words (
    report_num bigint PRIMARY KEY REFERENCES report (num),
    words tsvector NOT NULL
);

-- How often a word stands decides how it is looked for, and there are many.
ALTER TABLE report_words ALTER COLUMN words SET STATISTICS 1000;

CREATE INDEX report_words_words ON report_words USING gin (words);

GRANT SELECT, INSERT, UPDATE ON report_words TO {{.role}};

---- create above / drop below ----

DROP TABLE report_words;
