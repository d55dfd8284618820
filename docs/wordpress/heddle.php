<?php
/**
 * Plugin Name: Heddle
 * Description: Stores the metadata with which `heddle publish` finds its drafts and detects edits by people.
 *
 * Copy this file to wp-content/mu-plugins/ (create the folder if it does not exist). It changes nothing for visitors.
 */
add_action('init', function () {
    $names = ['heddle_listing', 'heddle_hashes', 'heddle_modified', 'heddle_alt_text', 'heddle_caption', 'seo_title', 'seo_description'];
    foreach ($names as $name) {
        register_meta('post', $name, ['type' => 'string', 'single' => true, 'show_in_rest' => true]);
    }
    // GET /wp/v2/posts?heddle_listing=my_shop:12 finds the drafts of one listing.
    foreach (get_post_types(['show_in_rest' => true]) as $type) {
        add_filter("rest_{$type}_query", function ($arguments, $request) {
            $listing = $request['heddle_listing'];
            return is_string($listing) ? ['meta_key' => 'heddle_listing', 'meta_value' => $listing] + $arguments : $arguments;
        }, 10, 2);
    }
}, 99); // after the registration of the site's own post types
// Store the modification time of our own save. A later save by a person changes it.
$stamp = function ($meta, $post, $name) {
    if ($name === 'heddle_hashes') {
        update_post_meta($post, 'heddle_modified', get_post($post)->post_modified);
    }
};
add_action('added_post_meta', $stamp, 10, 3);
add_action('updated_post_meta', $stamp, 10, 3);
