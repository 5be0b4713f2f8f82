select
    id as order_id,
    customer_id,
    ordered_on,
    lower(status) as status,
    amount
from {{ source('shop', 'orders') }}
