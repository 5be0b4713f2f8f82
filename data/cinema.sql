-- The rows of data/cinema for MySQL or MariaDB, the source of environment prod:
--   mysql --default-character-set=utf8mb4 cinema < data/cinema.sql

create table directors (
  id bigint not null primary key,
  name varchar(200) not null,
  born_on date not null,
  born_in varchar(100) not null
);

create table movies (
  id bigint not null primary key,
  title varchar(200) not null,
  director_id bigint not null references directors (id),
  released int not null,
  minutes int not null
);

create table reviews (
  id bigint not null primary key,
  movie_id bigint not null references movies (id),
  member varchar(50) not null,
  rating int not null,
  comment varchar(500),
  reviewed_on date not null
);

create table screenings (
  id bigint not null primary key,
  movie_id bigint not null references movies (id),
  starts_at datetime not null,
  tickets int not null,
  takings decimal(8, 2) not null,
  updated_at datetime not null
);

insert into directors (id, name, born_on, born_in) values
  (1, 'Akira Kurosawa', '1910-03-23', 'Japan'),
  (2, 'Alfred Hitchcock', '1899-08-13', 'United Kingdom'),
  (3, 'Agnès Varda', '1928-05-30', 'Belgium'),
  (4, 'Federico Fellini', '1920-01-20', 'Italy'),
  (5, 'Ridley Scott', '1937-11-30', 'United Kingdom'),
  (6, 'Hayao Miyazaki', '1941-01-05', 'Japan'),
  (7, 'Abbas Kiarostami', '1940-06-22', 'Iran'),
  (8, 'Wong Kar-wai', '1958-07-17', 'China'),
  (9, 'Sofia Coppola', '1971-05-14', 'United States'),
  (10, 'Bong Joon Ho', '1969-09-14', 'South Korea');

insert into movies (id, title, director_id, released, minutes) values
  (1, 'Rashomon', 1, 1950, 88),
  (2, 'Seven Samurai', 1, 1954, 207),
  (3, 'Rear Window', 2, 1954, 112),
  (4, 'Vertigo', 2, 1958, 128),
  (5, 'Cléo from 5 to 7', 3, 1962, 90),
  (6, '8½', 4, 1963, 138),
  (7, 'Alien', 5, 1979, 117),
  (8, 'Blade Runner', 5, 1982, 117),
  (9, 'My Neighbor Totoro', 6, 1988, 86),
  (10, 'Close-Up', 7, 1990, 98),
  (11, 'In the Mood for Love', 8, 2000, 98),
  (12, 'Spirited Away', 6, 2001, 125),
  (13, 'Lost in Translation', 9, 2003, 102),
  (14, 'Parasite', 10, 2019, 132);

insert into reviews (id, movie_id, member, rating, comment, reviewed_on) values
  (1, 1, 'ada', 9, 'Four stories, and I believe all of them.', '2024-03-07'),
  (2, 1, 'boris', 8, null, '2024-03-03'),
  (3, 2, 'ada', 10, 'Three and a half hours, not one too many.', '2024-03-09'),
  (4, 2, 'chen', 10, null, '2024-03-05'),
  (5, 2, 'dana', 9, 'The rain!', '2024-03-10'),
  (6, 3, 'boris', 9, 'I could not look away either.', '2024-03-07'),
  (7, 3, 'emil', 8, null, '2024-03-12'),
  (8, 4, 'chen', 7, 'Dizzying, as promised.', '2024-03-09'),
  (9, 4, 'dana', 9, null, '2024-03-05'),
  (10, 5, 'ada', 8, 'Two hours of Paris in ninety minutes.', '2024-03-11'),
  (11, 5, 'emil', 8, null, '2024-03-07'),
  (12, 6, 'boris', 6, 'I dreamt, then I slept, then I dreamt.', '2024-03-13'),
  (13, 6, 'chen', 9, 'Asa nisi masa.', '2024-03-09'),
  (14, 7, 'dana', 9, 'Bring the cat.', '2024-03-15'),
  (15, 7, 'emil', 9, null, '2024-03-11'),
  (16, 7, 'ada', 8, null, '2024-03-16'),
  (17, 8, 'boris', 9, 'Seen it in four cuts; keep them coming.', '2024-03-13'),
  (18, 8, 'chen', 8, null, '2024-03-09'),
  (19, 9, 'dana', 10, 'My daughter wants a bus like that.', '2024-03-15'),
  (20, 9, 'emil', 8, null, '2024-03-11'),
  (21, 11, 'ada', 10, '"In a corridor, twice": the whole film.', '2024-03-18'),
  (22, 11, 'boris', 9, null, '2024-03-14'),
  (23, 11, 'chen', 9, 'The music, the dresses, the noodles', '2024-03-19'),
  (24, 12, 'dana', 10, null, '2024-03-16'),
  (25, 12, 'emil', 9, 'Better every time', '2024-03-21'),
  (26, 13, 'ada', 7, null, '2024-03-18'),
  (27, 13, 'chen', 8, 'What did he say?', '2024-03-14'),
  (28, 14, 'boris', 9, 'Funny, until it is not.', '2024-03-20'),
  (29, 14, 'dana', 10, null, '2024-03-16'),
  (30, 14, 'emil', 8, 'Peaches, beware', '2024-03-21');

insert into screenings (id, movie_id, starts_at, tickets, takings, updated_at) values
  (1, 1, '2024-03-01 18:00:00', 41, 328.00, '2024-03-01 18:25:00'),
  (2, 8, '2024-03-01 20:30:00', 87, 826.50, '2024-03-01 20:55:00'),
  (3, 2, '2024-03-02 18:00:00', 95, 760.00, '2024-03-02 18:25:00'),
  (4, 9, '2024-03-02 20:30:00', 120, 1140.00, '2024-03-02 20:55:00'),
  (5, 3, '2024-03-03 18:00:00', 64, 512.00, '2024-03-03 18:25:00'),
  (6, 10, '2024-03-03 20:30:00', 78, 741.00, '2024-03-03 20:55:00'),
  (7, 4, '2024-03-04 18:00:00', 52, 416.00, '2024-03-04 18:25:00'),
  (8, 11, '2024-03-04 20:30:00', 49, 465.50, '2024-03-04 20:55:00'),
  (9, 5, '2024-03-05 18:00:00', 38, 304.00, '2024-03-05 18:25:00'),
  (10, 12, '2024-03-05 20:30:00', 66, 627.00, '2024-03-05 20:55:00'),
  (11, 6, '2024-03-06 18:00:00', 101, 808.00, '2024-03-06 18:25:00'),
  (12, 13, '2024-03-06 20:30:00', 119, 1130.50, '2024-03-06 20:55:00'),
  (13, 7, '2024-03-07 18:00:00', 133, 1064.00, '2024-03-07 18:25:00'),
  (14, 14, '2024-03-07 20:30:00', 127, 1206.50, '2024-03-07 20:55:00'),
  (15, 8, '2024-03-08 18:00:00', 92, 736.00, '2024-03-08 18:25:00'),
  (16, 1, '2024-03-08 20:30:00', 58, 551.00, '2024-03-08 20:55:00'),
  (17, 9, '2024-03-09 18:00:00', 18, 144.00, '2024-03-09 18:25:00'),
  (18, 2, '2024-03-09 20:30:00', 35, 332.50, '2024-03-09 20:55:00'),
  (19, 10, '2024-03-10 18:00:00', 71, 568.00, '2024-03-10 18:25:00'),
  (20, 3, '2024-03-10 20:30:00', 94, 893.00, '2024-03-10 20:55:00'),
  (21, 11, '2024-03-11 18:00:00', 46, 368.00, '2024-03-11 18:25:00'),
  (22, 4, '2024-03-11 20:30:00', 83, 788.50, '2024-03-11 20:55:00'),
  (23, 12, '2024-03-12 18:00:00', 109, 872.00, '2024-03-12 18:25:00'),
  (24, 5, '2024-03-12 20:30:00', 116, 1102.00, '2024-03-12 20:55:00'),
  (25, 13, '2024-03-13 18:00:00', 55, 440.00, '2024-03-13 18:25:00'),
  (26, 6, '2024-03-13 20:30:00', 62, 589.00, '2024-03-13 20:55:00'),
  (27, 14, '2024-03-14 18:00:00', 140, 1120.00, '2024-03-14 18:25:00'),
  (28, 7, '2024-03-14 20:30:00', 138, 1311.00, '2024-03-14 20:55:00');
