-- A database as version 4 of the schema wrote it. Never changed: it stands for those that exist.
BEGIN TRANSACTION;
CREATE TABLE acts (
    act     INTEGER PRIMARY KEY,         -- what the host did: 1, 2, 3 …
    time    INTEGER NOT NULL,            -- ms since 1970
    what    TEXT NOT NULL,               -- the method
    details TEXT NOT NULL,               -- JSON
    seq     INTEGER                      -- the patch that it made
) STRICT;
CREATE TABLE archives (
    first      INTEGER PRIMARY KEY,      -- the first and the last operation in the file
    last       INTEGER NOT NULL,
    first_time INTEGER NOT NULL,         -- their times, ms since 1970
    last_time  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,         -- the length of the file
    sha256     TEXT NOT NULL,            -- its checksum, hexadecimal
    file       INTEGER NOT NULL          -- 0: it is there, 1: to be deleted for want of room, 2: gone
) STRICT;
CREATE TABLE authors (
    author     INTEGER PRIMARY KEY,      -- the public number
    session    BLOB UNIQUE,              -- the client's secret, NULL for a connection without one
    address    TEXT NOT NULL,            -- from where it was first seen
    created    INTEGER NOT NULL,         -- ms since 1970
    last_call  INTEGER NOT NULL,         -- the session's last applied call, 0 before the first
    last_seq   INTEGER NOT NULL,         -- the last operation of that call
    last_time  INTEGER NOT NULL          -- its time, ms since 1970
, token TEXT) STRICT;
INSERT INTO "authors" VALUES(1,X'000102030405060708090A0B0C0D0E0F','192.0.2.7',1700000000000,3,5,1700000002000,NULL);
INSERT INTO "authors" VALUES(2,NULL,'192.0.2.8',1700000000500,0,0,0,'bot');
INSERT INTO "authors" VALUES(3,X'00000000000000000000000000000000','192.0.2.9',1700000001000,0,0,0,NULL);
CREATE TABLE bans (
    ban     INTEGER PRIMARY KEY,
    author  INTEGER,                     -- who, or NULL
    address TEXT,                        -- the hash of an address, or NULL
    until   INTEGER NOT NULL,            -- ms since 1970
    reason  TEXT NOT NULL,               -- what they are told
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE days (
    day     TEXT PRIMARY KEY,            -- 2026-11-22
    start   INTEGER NOT NULL,            -- its beginning and its end, ms since 1970
    until   INTEGER NOT NULL,
    windows INTEGER NOT NULL,            -- how many windows it has, with how many dreams and dabs
    frames  INTEGER NOT NULL,
    dabs    INTEGER NOT NULL,
    dreams  TEXT NOT NULL,               -- which dreams its movie shows, JSON
    files   TEXT NOT NULL,               -- the rest as of a window
    bytes   INTEGER NOT NULL,
    poster  INTEGER NOT NULL,
    file    INTEGER NOT NULL
) STRICT;
CREATE TABLE dreams (
    dream   INTEGER PRIMARY KEY,         -- 1, 2, 3 …
    seq     INTEGER NOT NULL,            -- the last operation that it contains
    time    INTEGER NOT NULL,            -- when it was done, ms since 1970
    style   TEXT NOT NULL,               -- in words
    layer   TEXT NOT NULL,               -- in the grammar of styles
    network TEXT NOT NULL,
    ms      INTEGER NOT NULL,            -- how long it took
    users   INTEGER NOT NULL,            -- how many websockets were open
    bytes   INTEGER NOT NULL             -- the length of its frame file
, file INTEGER NOT NULL DEFAULT 0, movie INTEGER) STRICT;
INSERT INTO "dreams" VALUES(1,3,1700000001000,'Eyes','b9','efficientnet_lite0',900,2,40,0,NULL);
INSERT INTO "dreams" VALUES(2,4,1700000002500,'Fur','b7','efficientnet_lite0',800,1,50,0,NULL);
CREATE TABLE operations (
    seq    INTEGER PRIMARY KEY,          -- 1, 2, 3 … without a gap
    time   INTEGER NOT NULL,             -- ms since 1970
    author INTEGER NOT NULL,
    stroke INTEGER NOT NULL,             -- the author's number for it, 0 for none
    x      INTEGER NOT NULL,             -- a dab's middle, a patch's top left corner, px
    y      INTEGER NOT NULL,
    size   INTEGER,                      -- a dab's diameter, px; NULL for a patch
    color  INTEGER,                      -- a dab's 0xRRGGBB; NULL for a patch
    patch  BLOB                          -- a patch's PNG; NULL for a dab
) STRICT;
INSERT INTO "operations" VALUES(1,1700000000000,1,1,100,100,40,16711680,NULL);
INSERT INTO "operations" VALUES(2,1700000000000,1,1,120,100,40,65280,NULL);
INSERT INTO "operations" VALUES(3,1700000000500,2,1,300,300,124,255,NULL);
INSERT INTO "operations" VALUES(4,1700000001500,1,2,110,110,20,0,NULL);
INSERT INTO "operations" VALUES(5,1700000002000,1,2,104,104,NULL,NULL,X'89504E470D0A1A0A0000000D494844520000000C00000009080600000006B8CD540000001849444154789C636464623EC14002602245F1A8069A69000070F900E03985710B0000000049454E44AE426082');
INSERT INTO "operations" VALUES(6,1700000002500,2,2,700,700,60,1193046,NULL);
CREATE TABLE running (
    day      INTEGER PRIMARY KEY,        -- days since 1970, by UTC
    up_ms    INTEGER NOT NULL,           -- for how long the server was up
    dream_ms INTEGER NOT NULL            -- for how long it dreamt
) STRICT;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,              -- what the host has set, and is to last: JSON
    value TEXT NOT NULL
) STRICT;
CREATE TABLE tokens (
    name            TEXT PRIMARY KEY,    -- a bot's
    hash            BLOB NOT NULL,       -- SHA-256 of the secret
    dabs_per_second INTEGER NOT NULL,    -- its quota; 0: none
    dabs_burst      INTEGER NOT NULL,
    connections     INTEGER NOT NULL,
    created         INTEGER NOT NULL,    -- ms since 1970
    revoked         INTEGER NOT NULL     -- when, ms since 1970; 0: it is valid
) STRICT;
CREATE TABLE windows (
    start  INTEGER PRIMARY KEY,          -- its beginning and its end, ms since 1970
    until  INTEGER NOT NULL,
    first  INTEGER NOT NULL,             -- the first and the last dream in it
    last   INTEGER NOT NULL,
    frames INTEGER NOT NULL,             -- how many dreams
    dabs   INTEGER NOT NULL,             -- how many dabs
    minutes TEXT NOT NULL,               -- dabs in each of its minutes, JSON
    styles TEXT NOT NULL,                -- what was dreamt from when on, JSON: [[ms since 1970, style], …]
    files  TEXT NOT NULL,                -- lengths by the end of the name, JSON: {"-1536.mp4": 130000000, …}
    bytes  INTEGER NOT NULL,             -- of its files without the poster
    poster INTEGER NOT NULL,             -- the length of its poster, which stays
    file   INTEGER NOT NULL              -- its movie: 0, 1 or 2 as of an archive, 3: not made yet
) STRICT;
CREATE INDEX dreams_by_time ON dreams (time);
CREATE INDEX dreams_by_file ON dreams (file, dream, bytes);
CREATE INDEX dreams_without_movie ON dreams (dream) WHERE movie IS NULL;
CREATE INDEX authors_by_age ON authors (created) WHERE substr(address, 1, 1) != '#';
COMMIT;
PRAGMA user_version = 4;
