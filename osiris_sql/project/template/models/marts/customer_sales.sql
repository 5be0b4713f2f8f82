select
    customer.customer_id,
    customer.name,
    count(placed.order_id) as orders,
    cast(coalesce(sum(placed.amount), 0) as decimal(12, 2)) as amount,
    max(placed.ordered_on) as last_order
from {{ ref('stg_customers') }} as customer
left join {{ ref('stg_orders') }} as placed
    on placed.customer_id = customer.customer_id and placed.status <> 'returned'
group by customer.customer_id, customer.name
