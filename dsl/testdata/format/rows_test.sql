input t values (1,'a'),(2,null); -- two
watermark t to timestamp '2026-01-01 00:00:00';
clock by interval '5' second;
input t delete(a) values(1);
expect v(a, n) values (1,'a rather long text so that the row does not fit'), (2,'another rather long text so that the line breaks');
expect changes v values ('+',-1);
expect v empty; expect error sd6001;
