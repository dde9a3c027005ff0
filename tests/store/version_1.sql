-- A database as version 1 of the schema wrote it. Never changed: it stands for those that exist.
BEGIN TRANSACTION;
CREATE TABLE authors (
    author     INTEGER PRIMARY KEY,      -- the public number
    session    BLOB UNIQUE,              -- the client's secret, NULL for a connection without one
    address    TEXT NOT NULL,            -- from where it was first seen
    created    INTEGER NOT NULL,         -- ms since 1970
    last_call  INTEGER NOT NULL,         -- the session's last applied call, 0 before the first
    last_seq   INTEGER NOT NULL,         -- the last operation of that call
    last_time  INTEGER NOT NULL          -- its time, ms since 1970
) STRICT;
INSERT INTO "authors" VALUES(1,X'000102030405060708090A0B0C0D0E0F','192.0.2.1',1700000000000,3,6,1700000009000);
INSERT INTO "authors" VALUES(2,NULL,'192.0.2.2',1700000001000,0,0,0);
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
) STRICT;
INSERT INTO "dreams" VALUES(1,4,1700000004500,'Eyes','b9_exp^2','efficientnet_lite0',900,2,654321);
INSERT INTO "dreams" VALUES(2,8,1700000008500,'Towers','b4:12','efficientnet_lite0',950,1,765432);
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
INSERT INTO "operations" VALUES(1,1700000001000,2,0,100,90,21,1056816,NULL);
INSERT INTO "operations" VALUES(2,1700000002000,1,0,200,180,22,2113632,NULL);
INSERT INTO "operations" VALUES(3,1700000003000,2,1,300,270,23,3170448,NULL);
INSERT INTO "operations" VALUES(4,1700000004000,1,1,400,360,24,4227264,NULL);
INSERT INTO "operations" VALUES(5,1700000005000,2,1,500,450,25,5284080,NULL);
INSERT INTO "operations" VALUES(6,1700000006000,1,2,600,540,26,6340896,NULL);
INSERT INTO "operations" VALUES(7,1700000007000,2,2,700,630,27,7397712,NULL);
INSERT INTO "operations" VALUES(8,1700000008000,1,2,800,720,28,8454528,NULL);
INSERT INTO "operations" VALUES(9,1700000009500,2,0,7,8,NULL,NULL,X'89504E470D0A1A0A0000000D494844520000000200000002080600000072B60D240000001449444154789C63FCCFC0D0C0C0C0C0C0C400050018250183468895270000000049454E44AE426082');
CREATE INDEX dreams_by_time ON dreams (time);
COMMIT;
PRAGMA user_version = 1;
