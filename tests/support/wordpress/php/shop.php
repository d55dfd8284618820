<?php
// The shop's own plugin: custom fields that the REST API shows and takes, and no smaller copies of pictures.
add_filter('intermediate_image_sizes_advanced', '__return_empty_array');
add_filter('big_image_size_threshold', '__return_false');
add_action('init', function () {
    $text = ['type' => 'string', 'single' => true, 'show_in_rest' => true];
    foreach (['product_class', 'item', 'material', 'bin', 'locale', 'licence', 'seo_title', 'seo_description'] as $name) {
        register_post_meta('post', $name, $text);
    }
    register_post_meta('post', 'price', ['type' => 'number', 'single' => true, 'show_in_rest' => true]);
    $rows = ['type' => 'array', 'items' => ['type' => 'object', 'additionalProperties' => true]];
    foreach (['objects', 'relations'] as $name) {
        register_post_meta('post', $name, ['type' => 'array', 'single' => true, 'show_in_rest' => ['schema' => $rows]]);
    }
    $words = ['type' => 'array', 'items' => ['type' => 'string']];
    register_post_meta('post', 'preferences', ['type' => 'array', 'single' => true, 'show_in_rest' => ['schema' => $words]]);
});
