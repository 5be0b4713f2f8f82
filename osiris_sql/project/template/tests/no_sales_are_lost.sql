-- What the customers bought adds up to what the orders say.
with bought as (select sum(amount) as amount from {{ ref('customer_sales') }}),
ordered as (select sum(amount) as amount from {{ ref('stg_orders') }} where status <> 'returned')
select bought.amount, ordered.amount as expected
from bought, ordered
where bought.amount is distinct from ordered.amount
