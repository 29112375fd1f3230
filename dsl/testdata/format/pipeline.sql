-- A pipeline   


-- with comments
set 'table.exec.state.ttl'='1 d' ; create table t(a int,b decimal(10,2) not null, -- money
  -- when
  ts timestamp(3), watermark for ts as ts-interval '5' second, r row<x int,y array<string>>, primary key(a) not enforced) with ('connector'='kafka','topic'='t', 'format'='json'); -- behind
create table s (a int) with ('connector'='print');
create view v as select a,count(*) as n,sum(b) filter(where b>-1) as total, case when a=1 then 'one' when a=2 then 'two' else 'many' end as c from table(tumble(table t,descriptor(ts),interval '10' second)) where a is not null and b between 1 and 2 and (a in(1,2,3) or b is distinct from 7) group by a,window_start,window_end having count(*)>1;

/* a block
   comment */
insert into s select /*+ STATE_TTL('x'='1 d') */ x.a from t /*+ OPTIONS('scan.startup.mode'='latest-offset') */ as x left join (select a, row_number() over(partition by a order by ts desc) as rn from t) y on x.a=y.a and x.ts between y.rn and y.rn and y.rn<>-1 inner join s on s.a=x.a and s.a<100000000 where y.rn=1 union all select 1 on conflict do deduplicate;
with q as (select 1 as one), w(z) as (select 2) select * from q cross join w order by one desc limit 5 offset 2;
execute statement set begin insert into s select 1; insert into s values (1),(2); end;
select `Order`, Count(distinct a), left(b,1), m['k'], arr[1][2], - -a, f(x=>1), cast(a as row<q int>), a::string, date '2026-01-01' from (values (1,'a'),(2,'b')) as h(a,b);
alter   table t  add (x int);
drop table if exists t;
-- the end
